# SPDX-License-Identifier: BSD-3-Clause
"""Arrays on their way to the library and back, copied only where they have to be."""

from __future__ import annotations

from typing import Any, Optional, Sequence, Tuple

import numpy as np

from ._device import View, as_device, ready_address

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
            f"{name} lies on a GPU, where only images and frames may be: "
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
    usable = plane.dtype == dtype and plane.flags.aligned and _has_rows(plane)
    return plane if usable else np.ascontiguousarray(plane, dtype)


def _has_rows(plane: np.ndarray | View) -> bool:
    (_, nx), (across, along), size = plane.shape, plane.strides, plane.dtype.itemsize
    return along == size and across % size == 0 and across >= nx * size


def device_rows(array: Any, name: str, dtypes: Sequence[Any]) -> Any:
    """An image on a GPU, whose rows have no gaps within."""
    array = as_device(array, name)
    plane = with_shape(View(array), name, (None, None))
    if plane.dtype not in dtypes or not _has_rows(plane):
        names = " or ".join(str(np.dtype(dtype)) for dtype in dtypes)
        raise TypeError(f"{name} on a GPU has to be {names}, without gaps in its rows")
    return array


def device_block(array: Any, name: str, dtype: Any, ndim: int) -> Any:
    """An array on a GPU without gaps, which may be written to."""
    array = as_device(array, name)
    block = with_shape(View(array), name, (None,) * ndim)
    if block.dtype != dtype or not block.gapless or block.read_only:
        raise TypeError(
            f"{name} on a GPU has to be {np.dtype(dtype)}, C-contiguous and writable"
        )
    return array


def with_shape(array: Any, name: str, shape: Shape) -> Any:
    """The array, if it has the shape, in which None is any size."""
    fits = len(array.shape) == len(shape) and all(
        wanted in (None, size) for wanted, size in zip(shape, array.shape)
    )
    if not fits:
        expected = ", ".join("any" if size is None else str(size) for size in shape)
        raise ValueError(f"{name} has shape {array.shape}, expected ({expected})")
    return array


def address(array: Any) -> int | None:
    """Where an array lies; NULL for one that is not wanted."""
    if array is None:
        return None
    return array.ctypes.data if isinstance(array, np.ndarray) else ready_address(array)


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
