"""Load the numba compiler on import, in the zygote, before it forks workers.

This takes a quarter of a second, and twice that with scipy. numba imports scipy if it is installed, but only
linear algebra needs it, so scipy is hidden here.
"""

from __future__ import annotations

import numpy as np

from builder.engines.absent import absent

with absent("scipy"):
    from builder.kernels.bits import mix

    mix(np.uint64(1))
