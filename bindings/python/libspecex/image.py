# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ._arrays import address, borrow, device_rows, in_rows, on_host, with_shape
from ._device import View, memory_of, on_device
from ._structs import specex_image
from .constants import PixelType

if TYPE_CHECKING:
    from .fits import FitsFile

_TYPES = {np.dtype("f4"): PixelType.FLOAT32, np.dtype("f8"): PixelType.FLOAT64}


@dataclass(eq=False)
class Image:
    """Pixels in electrons and their inverse variances, both `[ny, nx]`.

    Native float32 and float64 whose rows have no gaps within are used where they lie;
    anything else that NumPy can read is converted. `ivar` may be None where an image is
    only written. `file` is what an image was read from.

    Both may be on a GPU (CuPy, PyTorch, Numba, DLPack), for contexts with the CUDA
    backend: native float32 or float64, without gaps within rows. They are used where
    they lie, once the stream that their producer names is done with them.
    """

    pixels: Any
    ivar: Any = None
    file: FitsFile | None = None

    def __post_init__(self) -> None:
        if on_device(self.pixels) or on_device(self.ivar):
            self.pixels = device_rows(self.pixels, "pixels", list(_TYPES))
            if self.ivar is not None:
                dtype = View(self.pixels).dtype
                self.ivar = device_rows(self.ivar, "ivar", [dtype])
                with_shape(View(self.ivar), "ivar", self.shape)
            return
        planes = [on_host(self.pixels, "pixels")]
        if self.ivar is not None:
            planes.append(on_host(self.ivar, "ivar"))
        single = all(plane.dtype.newbyteorder("=") == np.float32 for plane in planes)
        dtype = np.float32 if single else np.float64
        self.pixels = in_rows(planes[0], "pixels", dtype)
        if self.ivar is not None:
            with_shape(planes[1], "ivar", self.pixels.shape)
            self.ivar = in_rows(planes[1], "ivar", dtype)

    @property
    def shape(self) -> tuple[int, int]:
        """`(ny, nx)`."""
        return tuple(self.pixels.shape)

    @classmethod
    def _of_file(cls, file: FitsFile, image: specex_image) -> Image:
        dtype = {number: dtype for dtype, number in _TYPES.items()}[image.type]
        shape = (image.ny, image.nx)  # and no gaps between rows
        pixels = borrow(file, image.pixels, shape, dtype)
        return cls(pixels, borrow(file, image.ivar, shape, dtype), file)

    def _struct(self) -> specex_image:
        def layout(plane: Any) -> Any:
            return View(plane) if on_device(plane) else plane

        def stride(plane: Any) -> int:
            return 0 if plane is None else plane.strides[0] // plane.dtype.itemsize

        pixels, ivar = layout(self.pixels), layout(self.ivar)
        return specex_image(
            type=_TYPES[pixels.dtype],
            memory=memory_of(self.pixels),
            nx=self.shape[1],
            ny=self.shape[0],
            pixels=address(self.pixels),
            ivar=address(self.ivar),
            pixels_stride=stride(pixels),
            ivar_stride=stride(ivar),
        )
