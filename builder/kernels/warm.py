"""Imported for its effect: the compiler is loaded, which takes half a second, before processes are forked."""

from __future__ import annotations

import numpy as np

from builder.kernels.bits import mix

mix(np.uint64(1))
