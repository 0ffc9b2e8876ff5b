# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Mapping

import numpy as np

from ._arrays import Shape, address, borrow, contiguous, device_block, on_host, with_shape
from ._device import memory_of, on_device
from ._structs import specex_frame
from .grid import Grid

if TYPE_CHECKING:
    import scipy.sparse

    from .fits import FitsFile

_SPECTRA = ("ivar", "chi2pix", "pixmask_fraction", "mask")
_ARRAYS = {"wavelength", "flux", "resolution_data", "model", *_SPECTRA}
_COUNTS = (
    "npatch",
    "npatch_failed",
    "nbadpixel",
    "npath_dense",
    "npath_banded",
    "npath_vector",
)


@dataclass(eq=False)
class Frame:
    """Extracted spectra of the fibres `first_fiber` to `first_fiber + nspec - 1`.

    `flux` (electrons per Angstrom), `ivar`, `mask`, `chi2pix` and `pixmask_fraction` are
    `[nspec, nwave]`, `wavelength` (Angstrom) is `[nwave]`, `resolution_data`
    `[nspec, ndiag, nwave]` and `model` (electrons) `[ny, nx]`; what is not wanted is
    None. The counts are of patches and of pixels that are not finite. All arrays are in
    the host's memory, or all on a GPU.
    """

    wavelength: Any
    flux: Any
    ivar: Any = None
    mask: Any = None
    resolution_data: Any = None
    chi2pix: Any = None
    pixmask_fraction: Any = None
    model: Any = None
    first_fiber: int = 0
    npatch: int = 0
    npatch_failed: int = 0
    nbadpixel: int = 0
    npath_dense: int = 0
    npath_banded: int = 0
    npath_vector: int = 0
    file: FitsFile | None = None

    def __post_init__(self) -> None:
        convert = device_block if on_device(self.flux) else contiguous
        self.flux = convert(self.flux, "flux", np.float64, 2)
        self._convert("wavelength", (self.nwave,))
        for name in _SPECTRA:
            self._convert(name, (self.nspec, self.nwave))
        self._convert("resolution_data", (self.nspec, None, self.nwave))
        self._convert("model", (None, None))

    def _convert(self, name: str, shape: Shape) -> None:
        array = getattr(self, name)
        if array is not None:
            dtype = np.int32 if name == "mask" else np.float64
            convert = device_block if on_device(self.flux) else contiguous
            array = convert(array, name, dtype, len(shape))
            setattr(self, name, with_shape(array, name, shape))

    @property
    def nspec(self) -> int:
        """The number of fibres."""
        return self.flux.shape[0]

    @property
    def nwave(self) -> int:
        """The number of bins."""
        return self.flux.shape[1]

    def resolution(self, i: int) -> scipy.sparse.dia_matrix:
        """The resolution matrix of row `i` of `flux`; needs SciPy.

        `frame.resolution(i) @ spectrum` is what the frame shows of a true spectrum.
        """
        if self.resolution_data is None:
            raise ValueError("the frame was made without its resolution")
        from scipy.sparse import dia_matrix

        data = on_host(self.resolution_data, "resolution_data")[i]
        half = len(data) // 2
        offsets = np.arange(half, half - len(data), -1)
        return dia_matrix((data, offsets), shape=(self.nwave, self.nwave))

    @classmethod
    def _empty(
        cls,
        grid: Grid,
        fibers: range,
        ndiag: int | None,
        model_shape: tuple[int, int] | None,
        arrays: Any = np,
    ) -> Frame:
        """A frame for the library to fill, of NumPy's arrays or those of CuPy."""
        shape, empty = (len(fibers), grid.nwave), arrays.empty
        return cls(
            wavelength=empty(grid.nwave),
            flux=empty(shape),
            ivar=empty(shape),
            mask=empty(shape, np.int32),
            resolution_data=empty((len(fibers), ndiag, grid.nwave)) if ndiag else None,
            chi2pix=empty(shape),
            pixmask_fraction=empty(shape),
            model=empty(model_shape) if model_shape else None,
            first_fiber=fibers.start,
        )

    @classmethod
    def _of_arrays(cls, out: Mapping[str, Any], first_fiber: int) -> Frame:
        """A frame for the library to fill, of a caller's arrays."""
        if not _ARRAYS >= set(out) >= {"flux"}:
            raise TypeError(f"out has flux and any of {', '.join(sorted(_ARRAYS))}")
        frame = cls(**{"wavelength": None, **out}, first_fiber=first_fiber)
        for name, array in out.items():
            own = getattr(frame, name)
            if not on_device(own) and (own is not array or not own.flags.writeable):
                raise TypeError(
                    f"{name} of out has to be native, C-contiguous and writable"
                )
        return frame

    @classmethod
    def _of_file(cls, file: FitsFile, frame: specex_frame) -> Frame:
        shape = (frame.nspec, frame.nwave)
        model_shape = (frame.model_ny, frame.model_nx)
        return cls(
            wavelength=borrow(file, frame.wavelength, shape[1:]),
            flux=borrow(file, frame.flux, shape),
            ivar=borrow(file, frame.ivar, shape),
            mask=borrow(file, frame.mask, shape, np.int32),
            resolution_data=borrow(
                file, frame.resolution, (frame.nspec, frame.ndiag, frame.nwave)
            ),
            chi2pix=borrow(file, frame.chi2pix, shape),
            pixmask_fraction=borrow(file, frame.pixmask_fraction, shape),
            model=borrow(file, frame.model, model_shape),
            first_fiber=frame.first_fiber,
            file=file,
        )

    def _struct(self) -> specex_frame:
        resolution, model = self.resolution_data, self.model
        return specex_frame(
            memory=memory_of(self.flux),
            first_fiber=self.first_fiber,
            nspec=self.nspec,
            nwave=self.nwave,
            ndiag=0 if resolution is None else resolution.shape[1],
            wavelength=address(self.wavelength),
            flux=address(self.flux),
            ivar=address(self.ivar),
            resolution=address(resolution),
            chi2pix=address(self.chi2pix),
            pixmask_fraction=address(self.pixmask_fraction),
            mask=address(self.mask),
            model=address(model),
            model_nx=0 if model is None else model.shape[1],
            model_ny=0 if model is None else model.shape[0],
        )

    def _take_counts(self, frame: specex_frame) -> Frame:
        for name in _COUNTS:
            setattr(self, name, getattr(frame, name))
        return self
