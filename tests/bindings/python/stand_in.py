# SPDX-License-Identifier: BSD-3-Clause
"""A stand-in for CuPy whose GPU has the host's memory, as the emulated backend's has."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import numpy as np


class ndarray:
    """Tells where it is by the CUDA Array Interface, and is no array to NumPy."""

    def __init__(self, array: Any, **told: Any) -> None:
        self.array = np.asarray(array)
        self.told = told

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        own = self.array.__array_interface__
        return {**own, "version": 3, "stream": None, **self.told}

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        raise TypeError("Implicit conversion to a NumPy array is not allowed")

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape


class Dlpack:
    """An array on a GPU that offers DLPack only."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __dlpack_device__(self) -> tuple[int, int]:
        return (2, 0)


def module() -> ModuleType:
    """What of CuPy the package uses."""
    cupy = ModuleType("cupy")
    cupy.empty = lambda shape, dtype=float: ndarray(np.empty(shape, dtype))
    cupy.from_dlpack = lambda other: ndarray(other.array)
    return cupy


class installed:
    """In its `with` block the stand-in is the CuPy that is found, or there is none."""

    def __init__(self, found: bool = True) -> None:
        self.found = found

    def __enter__(self) -> None:
        self.earlier = sys.modules.get("cupy")
        sys.modules["cupy"] = module() if self.found else None

    def __exit__(self, *_: Any) -> None:
        del sys.modules["cupy"]
        if self.earlier is not None:
            sys.modules["cupy"] = self.earlier
