# SPDX-License-Identifier: BSD-3-Clause
"""Arrays in the memory of a GPU, as the CUDA Array Interface and DLPack tell of them.

They are never copied nor converted, and nothing but their producer is needed for them:
CuPy alone makes new ones, and reads those that offer DLPack only.
"""

from __future__ import annotations

from ctypes import CDLL, byref, c_int, c_uint64, c_void_p
from typing import Any

import numpy as np

from .constants import Memory
from .errors import DeviceError, NoDeviceError

_CUDA = (2, 13)  # DLPack's numbers of memory that a GPU reads: its own, and managed
_DEFAULT_STREAM = 1
_DEVICE_ORDINAL = 9  # the driver's number of this attribute of a pointer


def on_device(array: Any) -> bool:
    """Whether an array is in the memory of a GPU."""
    if hasattr(array, "__cuda_array_interface__"):
        return True
    device = getattr(array, "__dlpack_device__", None)
    return device is not None and device()[0] in _CUDA


def memory_of(array: Any) -> Memory:
    """Where an array is."""
    return Memory.DEVICE if on_device(array) else Memory.HOST


def cupy() -> Any:
    """The module, or None where it is not installed."""
    try:
        import cupy
    except ImportError:
        return None
    return cupy


class View:
    """What an array's producer says of it at this moment."""

    def __init__(self, array: Any) -> None:
        told = array.__cuda_array_interface__
        self.masked = told.get("mask") is not None
        self.dtype = np.dtype(told["typestr"])
        self.shape = tuple(told["shape"])
        gapless = np.cumprod((self.dtype.itemsize, *self.shape[:0:-1]))[::-1]
        self.strides = tuple(told.get("strides") or map(int, gapless))
        self.gapless = self.strides == tuple(gapless)
        self.address, self.read_only = told["data"]
        # Producers of version 2, such as PyTorch, do not say which stream they used.
        self.stream = told.get("stream", _DEFAULT_STREAM if told["version"] < 3 else None)


def as_device(array: Any, name: str) -> Any:
    """An array that tells of itself by the CUDA Array Interface."""
    if not on_device(array):
        raise TypeError(f"{name} is not on a GPU, where the other arrays are")
    if hasattr(array, "__cuda_array_interface__"):
        if View(array).masked:
            raise TypeError(f"{name} has a mask: give masked pixels ivar 0 instead")
        return array
    if cupy() is None:
        raise TypeError(f"{name} offers DLPack only, which takes CuPy to read")
    return cupy().from_dlpack(array)


def ready_address(array: Any) -> int:
    """Where an array lies, once all that was queued to work on it is done."""
    view = View(array)
    if view.stream is not None:
        _synchronize(view.stream, view.address)
    return view.address


def _synchronize(stream: int, address: int) -> None:
    """Waits for a stream of the GPU that has the address, from whatever thread."""
    device, context, popped = c_int(), c_void_p(), c_void_p()
    _driver("cuPointerGetAttribute", byref(device), _DEVICE_ORDINAL, c_uint64(address))
    _driver("cuDevicePrimaryCtxRetain", byref(context), device)
    try:
        _driver("cuCtxPushCurrent_v2", context)
        try:
            _driver("cuStreamSynchronize", c_void_p(stream))
        finally:
            _driver("cuCtxPopCurrent_v2", byref(popped))
    finally:
        _driver("cuDevicePrimaryCtxRelease_v2", device)


def _driver(function: str, *arguments: Any) -> None:
    """Calls the driver of the GPU, which the array's producer has loaded."""
    try:
        driver = CDLL("libcuda.so.1")
    except OSError as error:
        raise NoDeviceError(f"an array on a GPU, without its driver: {error}") from None
    error = getattr(driver, function)(*arguments)
    if error:
        raise DeviceError(f"{function} of the GPU's driver failed with error {error}")
