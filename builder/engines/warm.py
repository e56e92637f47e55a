"""Imported for its effect, by processes that are builder's own: the compiler is loaded before they fork.

That takes a quarter of a second, and twice that with scipy, which numba loads where it is installed and which
only linear algebra needs.
"""

from __future__ import annotations

import numpy as np

from builder.engines.absent import absent

with absent("scipy"):
    from builder.kernels.bits import mix

    mix(np.uint64(1))
