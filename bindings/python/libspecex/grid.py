# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

from ctypes import byref
from dataclasses import dataclass

import numpy as np

from ._library import library
from ._structs import specex_grid
from .errors import check


@dataclass(frozen=True)
class Grid:
    """A wavelength grid: bin `w` is at `wavemin + w * wavestep`, in Angstrom."""

    wavemin: float
    wavestep: float
    nwave: int

    @classmethod
    def from_range(cls, wavemin: float, wavemax: float, wavestep: float) -> Grid:
        """The grid up to `wavemax + wavestep / 2`, as `numpy.arange` counts it."""
        grid = specex_grid()
        check(library.specex_grid_from_range(wavemin, wavemax, wavestep, byref(grid)))
        return cls(grid.wavemin, grid.wavestep, grid.nwave)

    @property
    def wavelength(self) -> np.ndarray:
        """The bins' wavelengths, in Angstrom."""
        return self.wavemin + self.wavestep * np.arange(self.nwave)

    def _struct(self) -> specex_grid:
        return specex_grid(
            wavemin=self.wavemin, wavestep=self.wavestep, nwave=self.nwave
        )
