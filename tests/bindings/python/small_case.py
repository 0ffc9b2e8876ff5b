# SPDX-License-Identifier: BSD-3-Clause
"""A PSF of six fibres, and an image made with it."""

from __future__ import annotations

import numpy as np
from libspecex import Context, Grid, Image, NoDeviceError, Psf

NSPEC = 6
NX, NY = 53, 92
FIBERS = range(NSPEC)
GRID = Grid.from_range(6000, 6029, 1)


def small_psf() -> Psf:
    def per_fiber(*series: float) -> np.ndarray:
        return np.tile(series, (NSPEC, 1)).astype(float)

    xtrace, ytrace = per_fiber(9, 0.6, -0.2), per_fiber(46, 60, 0.3)
    xtrace[:, 0] += 7.0 * np.arange(NSPEC)
    ytrace[:, 0] += 0.37 * np.arange(NSPEC)
    params = {
        "GHSIGX": per_fiber(1.15, 0.05),
        "GHSIGY": per_fiber(1.05, -0.04),
        "GH-0-0": per_fiber(1, 0),
        "GH-2-0": per_fiber(0.02, 0.005),
    }
    return Psf(
        xtrace=xtrace,
        ytrace=ytrace,
        param_names=list(params),
        params=np.stack(list(params.values())),
        xtrace_range=(5974, 6057),
        ytrace_range=(5974, 6057),
        param_range=(5975, 6055),
        hsizex=4,
        hsizey=4,
        ghdegx=4,
        ghdegy=4,
        nx=NX,
        ny=NY,
        psferr=0.02,
    )


def small_context(**options) -> Context:
    division = {"bundlesize": 3, "nsubbundles": 1, "nwavestep": 10}
    return Context(**{**division, **options}).set_psf(small_psf())


def has_gpu() -> bool:
    try:
        return bool(Context(backend="cuda"))
    except NoDeviceError:
        return False


TRUTH = 40 + 15 * np.arange(NSPEC)[:, None] + 3.0 * np.arange(GRID.nwave)
PIXELS = small_context().project(GRID, FIBERS, TRUTH)
IVAR = np.full((NY, NX), 0.04)
IMAGE = Image(PIXELS, IVAR)
ARRAYS = (
    "wavelength flux ivar mask resolution_data chi2pix pixmask_fraction model".split()
)


def same(one, other) -> bool:
    """Whether two frames have the same bits, or lack the same arrays."""
    pairs = [(getattr(one, name), getattr(other, name)) for name in ARRAYS]
    return all(
        a is b if a is None or b is None else np.array_equal(a, b) for a, b in pairs
    )


def broken_image() -> Image:
    pixels = PIXELS.copy()
    pixels[40, 20] = np.nan
    return Image(pixels, IVAR)
