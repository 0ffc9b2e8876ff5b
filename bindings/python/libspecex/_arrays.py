# SPDX-License-Identifier: BSD-3-Clause
"""Arrays on their way to the library and back, copied only where they have to be."""

from __future__ import annotations

from typing import Any, Optional, Tuple

import numpy as np

Shape = Tuple[Optional[int], ...]
_HOST = (1, 3)  # DLPack's numbers of memory that a processor can read


def on_host(array: Any, name: str) -> np.ndarray:
    """Anything that NumPy can see as an array; what lies on a GPU is refused."""
    if np.ma.is_masked(array):
        raise TypeError(f"{name} is a masked array: give masked pixels ivar 0 instead")
    if isinstance(array, np.ndarray):
        return array
    device = getattr(array, "__dlpack_device__", lambda: _HOST)
    if hasattr(array, "__cuda_array_interface__") or device()[0] not in _HOST:
        raise TypeError(
            f"{name} lies on a GPU, which libspecex does not extract on yet: "
            "copy it to the host, for example with cupy.asnumpy"
        )
    return np.asarray(array)


def contiguous(array: Any, name: str, dtype: Any, ndim: int) -> np.ndarray:
    """The array, or where it is of another type or layout a copy that is not."""
    host = np.ascontiguousarray(on_host(array, name), dtype)
    return with_shape(host, name, (None,) * ndim)


def in_rows(array: Any, name: str, dtype: Any) -> np.ndarray:
    """An image whose rows have no gaps within, though perhaps between them."""
    plane = with_shape(on_host(array, name), name, (None, None))
    itemsize = np.dtype(dtype).itemsize
    usable = (
        plane.dtype == dtype
        and plane.flags.aligned
        and plane.strides[1] == itemsize
        and plane.strides[0] % itemsize == 0
        and plane.strides[0] >= plane.shape[1] * itemsize
    )
    return plane if usable else np.ascontiguousarray(plane, dtype)


def with_shape(array: np.ndarray, name: str, shape: Shape) -> np.ndarray:
    """The array, if it has the shape, in which None is any size."""
    fits = array.ndim == len(shape) and all(
        wanted in (None, size) for wanted, size in zip(shape, array.shape)
    )
    if not fits:
        expected = ", ".join("any" if size is None else str(size) for size in shape)
        raise ValueError(f"{name} has shape {array.shape}, expected ({expected})")
    return array


def address(array: np.ndarray | None) -> int | None:
    """Where an array lies; NULL for one that is not wanted."""
    return None if array is None else array.ctypes.data


class _Borrowed:
    """An array in memory that lasts as long as its owner."""

    def __init__(self, owner: object, address: int, shape: Shape, dtype: Any) -> None:
        self.owner = owner
        self.__array_interface__ = {
            "version": 3,
            "data": (address, True),  # read only
            "shape": shape,
            "typestr": np.dtype(dtype).str,
        }


def borrow(
    owner: object, address: int | None, shape: Shape, dtype: Any = np.float64
) -> np.ndarray | None:
    """A read-only view of an owner's memory, which the view keeps alive."""
    return np.asarray(_Borrowed(owner, address, shape, dtype)) if address else None
