# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import os
from ctypes import c_char_p
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, Sequence

import numpy as np

from ._arrays import address, borrow, contiguous, with_shape
from ._structs import specex_psf
from .constants import PsfKind

if TYPE_CHECKING:
    from .fits import FitsFile


class PsfInfo(NamedTuple):
    """What a context's PSF says of sizes, and of the range of its wavelengths."""

    nspec: int
    ndiag: int
    spot_nx: int
    spot_ny: int
    wavemin: float
    wavemax: float
    psferr: float
    nx: int
    ny: int


@dataclass(eq=False)
class Psf:
    """A Gauss-Hermite PSF of Legendre series in wavelength.

    Coefficients are `[nspec, ncoef]` of the traces and `[nparam, nspec, ncoef]` of the
    parameters, each over a range `(wavemin, wavemax)` in Angstrom. `nx` and `ny` are the
    size of the CCD, 0 where it is not known; a `psferr` of 0 stands for 0.01.
    """

    xtrace: Any
    ytrace: Any
    param_names: Sequence[str]
    params: Any
    xtrace_range: tuple[float, float]
    ytrace_range: tuple[float, float]
    param_range: tuple[float, float]
    hsizex: int
    hsizey: int
    ghdegx: int
    ghdegy: int
    nx: int = 0
    ny: int = 0
    psferr: float = 0.0
    file: FitsFile | None = None

    def __post_init__(self) -> None:
        self.xtrace = contiguous(self.xtrace, "xtrace", np.float64, 2)
        self.ytrace = contiguous(self.ytrace, "ytrace", np.float64, 2)
        self.params = contiguous(self.params, "params", np.float64, 3)
        self.param_names = tuple(self.param_names)
        with_shape(self.ytrace, "ytrace", (self.nspec, None))
        with_shape(self.params, "params", (len(self.param_names), self.nspec, None))

    @property
    def nspec(self) -> int:
        """The number of fibres."""
        return len(self.xtrace)

    def fibers(self, fibers: range) -> Psf:
        """The PSF of some fibres, which are numbered from 0 then."""
        if not 0 <= fibers.start <= fibers.stop <= self.nspec:
            raise ValueError(f"{fibers} is not within the PSF's {self.nspec} fibres")
        some = slice(fibers.start, fibers.stop, fibers.step)
        xtrace, ytrace = self.xtrace[some], self.ytrace[some]
        return replace(self, xtrace=xtrace, ytrace=ytrace, params=self.params[:, some])

    @classmethod
    def _of_file(cls, file: FitsFile, psf: specex_psf) -> Psf:
        def series(at: int | None, *shape: int) -> Any:
            return borrow(file, at, shape)

        return cls(
            xtrace=series(psf.xtrace, psf.nspec, psf.xtrace_ncoef),
            ytrace=series(psf.ytrace, psf.nspec, psf.ytrace_ncoef),
            param_names=[name.decode() for name in psf.param_names[: psf.nparam]],
            params=series(psf.params, psf.nparam, psf.nspec, psf.ncoef),
            xtrace_range=(psf.xtrace_wavemin, psf.xtrace_wavemax),
            ytrace_range=(psf.ytrace_wavemin, psf.ytrace_wavemax),
            param_range=(psf.wavemin, psf.wavemax),
            hsizex=psf.hsizex,
            hsizey=psf.hsizey,
            ghdegx=psf.ghdegx,
            ghdegy=psf.ghdegy,
            nx=psf.nx,
            ny=psf.ny,
            psferr=psf.psferr,
            file=file,
        )

    def _struct(self) -> specex_psf:
        names = [os.fsencode(name) for name in self.param_names]
        return specex_psf(
            kind=PsfKind.GAUSS_HERMITE,
            nspec=self.nspec,
            nx=self.nx,
            ny=self.ny,
            hsizex=self.hsizex,
            hsizey=self.hsizey,
            ghdegx=self.ghdegx,
            ghdegy=self.ghdegy,
            xtrace_wavemin=self.xtrace_range[0],
            xtrace_wavemax=self.xtrace_range[1],
            ytrace_wavemin=self.ytrace_range[0],
            ytrace_wavemax=self.ytrace_range[1],
            wavemin=self.param_range[0],
            wavemax=self.param_range[1],
            xtrace_ncoef=self.xtrace.shape[1],
            ytrace_ncoef=self.ytrace.shape[1],
            nparam=len(names),
            ncoef=self.params.shape[2],
            xtrace=address(self.xtrace),
            ytrace=address(self.ytrace),
            param_names=(c_char_p * len(names))(*names),  # ctypes keeps them alive
            params=address(self.params),
            psferr=self.psferr,
        )
