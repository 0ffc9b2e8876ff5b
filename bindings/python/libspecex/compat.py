# SPDX-License-Identifier: BSD-3-Clause
"""`extract_frame` and `ex2d` in place of gpu_specter's and specter's functions.

They take what those take and give what those give. Where those take a PSF, these take the
name of its file, gpu_specter's dictionary of tables, specter's GaussHermitePSF, or a
`libspecex.Psf`.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import Any, Mapping, Sequence

import numpy as np
from numpy.polynomial import Legendre

from ._peer_psf import AnyPsf, as_psf
from .constants import Backend, Compat, Decorrelate
from .context import Context
from .frame import Frame
from .grid import Grid
from .image import Image
from .psf import Psf


def extract_frame(
    img: Mapping[str, Any],
    psf: AnyPsf,
    bundlesize: int,
    specmin: int,
    nspec: int,
    wavelength: Any = None,
    nwavestep: int = 50,
    nsubbundles: int = 1,
    model: Any = None,
    regularize: float = 0,
    psferr: float | None = None,
    comm: Any = None,
    gpu: Any = None,
    loglevel: Any = None,
    timing: dict[str, float] | None = None,
    wavepad: int = 10,
    pixpad_frac: float = 0.8,
    wavepad_frac: float = 0.2,
    batch_subbundle: bool = True,
    ranks_per_bundle: int | None = None,
) -> dict[str, Any] | None:
    """gpu_specter's `core.extract_frame`, by its rules (`compat="gpu_specter"`).

    Bundles are counted from `specmin` and always whole. With an MPI communicator, `img`
    and `psf` are those of rank 0, which gets the frame; others get None. Each rank
    extracts whole bundles, with as many threads as it may have, so that `batch_subbundle`
    and `ranks_per_bundle` have nothing to say. With `gpu`, it has the CUDA backend, and
    `img` may be on the GPU; the frame is in the host's memory either way.
    """
    moments = {"init-mpi-comm": time.time()}
    rank, size = (0, 1) if comm is None else (comm.rank, comm.size)
    if comm is not None:
        given = (img["image"], img["ivar"], psf) if rank == 0 else None
        pixels, ivar, psf = comm.bcast(given, root=0)
    else:
        pixels, ivar = img["image"], img["ivar"]
    moments["init-mpi-bcast"] = moments["host-to-device"] = time.time()

    own = as_psf(psf)
    wave, grid = _wavelengths(wavelength, own)
    image = Image(pixels, ivar)
    with Context(
        backend=Backend.CUDA if gpu else Backend.CPU,
        compat=Compat.GPU_SPECTER,
        bundlesize=bundlesize,
        nsubbundles=nsubbundles,
        nwavestep=nwavestep,
        wavepad=wavepad,
        wavepad_frac=wavepad_frac,
        pixpad_frac=pixpad_frac,
        regularize=regularize,
        psferr=-1.0 if psferr is None else psferr,
        log=_logger(loglevel),
    ) as context:
        nbundle = -(-nspec // bundlesize)
        first, last = (nbundle * part // size for part in (rank, rank + 1))
        context.set_psf(_bundles(own, specmin, nbundle * bundlesize))
        fibers = range(first * bundlesize, last * bundlesize)
        frame = None  # for ranks that outnumber the bundles
        if fibers:
            shape = image.shape if model else None
            frame = Frame._empty(grid, fibers, context.psf_info().ndiag, shape)
            frame = context._fill(frame, image, grid, fibers)
    moments["extracted-bundles"] = time.time()

    frames = [frame] if comm is None else comm.gather(frame, root=0)
    moments["staged-bundles"] = time.time()
    result = None if frames is None else _merged([f for f in frames if f], wave)
    moments["merged-bundles"] = moments["assembled-frame"] = time.time()
    if isinstance(timing, dict):
        timing.update(moments)
    return result


def ex2d(
    image: Any,
    imageivar: Any,
    psf: AnyPsf,
    specmin: int,
    nspec: int,
    wavelengths: Any,
    xyrange: Sequence[int] | None = None,
    regularize: float = 0.0,
    ndecorr: bool = False,
    bundlesize: int = 25,
    nsubbundles: int = 1,
    wavesize: int = 50,
    full_output: bool = False,
    verbose: bool = False,
    debug: bool = False,
    psferr: float | None = None,
    pixpad_frac: float = 0.8,
    wavepad_frac: float = 0.2,
) -> Any:
    """specter's `extract.ex2d`, by libspecex's own rules, which are nearest to it.

    Gives `(flux, ivar, Rdata)` or, with `full_output`, a dictionary. Bundles are counted
    from `specmin` and the last may be smaller. `xyrange` says where on the CCD the image
    was cut out: `(xmin, xmax, ymin, ymax)`. `verbose` and `debug` do nothing.
    """
    wavelengths = np.asarray(wavelengths, np.float64)
    dw = wavelengths[1] - wavelengths[0]
    if not np.allclose(dw, np.diff(wavelengths)):
        raise ValueError("the wavelengths of ex2d have to be evenly spaced")
    own = as_psf(psf).fibers(range(specmin, specmin + nspec))
    if xyrange is not None:
        own = _cut_out(own, xyrange)
    with Context(
        decorrelate=Decorrelate.NOISE if ndecorr else Decorrelate.SIGNAL,
        bundlesize=bundlesize,
        nsubbundles=min(nsubbundles, bundlesize),
        nwavestep=wavesize,
        wavepad_frac=wavepad_frac,
        pixpad_frac=pixpad_frac,
        regularize=regularize,
        psferr=-1.0 if psferr is None else psferr,
    ) as context:
        context.set_psf(own)
        frame = context.extract_frame(
            Image(image, imageivar),
            Grid(wavelengths[0], dw, len(wavelengths)),
            range(nspec),
            model=full_output,
        )
        ndiag = min(_nine_sigma(context, own, dw), own.hsizey, own.hsizex)
    resolution = frame.resolution_data[:, own.hsizey - ndiag : own.hsizey + ndiag + 1]
    if not full_output:
        return frame.flux, frame.ivar, resolution
    return dict(
        flux=frame.flux,
        ivar=frame.ivar,
        resolution_data=resolution,
        modelimage=frame.model,
        pixmask_fraction=frame.pixmask_fraction,
        chi2pix=frame.chi2pix,
    )


def _bundles(psf: Psf, specmin: int, nspec: int) -> Psf:
    """What gpu_specter uses of a PSF: whole bundles from `specmin` on, and no tails."""
    core = [k for k, name in enumerate(psf.param_names) if name.startswith("GH")]
    names = [psf.param_names[k] for k in core]
    core_alone = replace(psf, param_names=names, params=psf.params[core])
    return core_alone.fibers(range(specmin, specmin + nspec))


def _wavelengths(wavelength: Any, psf: Psf) -> tuple[np.ndarray, Grid]:
    if isinstance(wavelength, np.ndarray):
        step = np.gradient(wavelength)[0]
        if not np.allclose(np.diff(wavelength), step):
            raise ValueError("the wavelengths have to be evenly spaced")
        return wavelength, Grid(wavelength[0], step, len(wavelength))
    if isinstance(wavelength, str):
        wavelength = tuple(float(part) for part in wavelength.split(","))
    grid = Grid.from_range(*(wavelength or (*psf.param_range, 0.8)))
    return grid.wavelength, grid


def _merged(frames: Sequence[Frame], wave: np.ndarray) -> dict[str, Any]:
    def stacked(name: str) -> np.ndarray:
        return np.concatenate([getattr(frame, name) for frame in frames])

    ivar = stacked("ivar")
    models = [frame.model for frame in frames if frame.model is not None]
    return dict(
        specflux=stacked("flux"),
        specivar=ivar,
        specmask=(ivar == 0).astype(int),
        wave=wave,
        Rdiags=stacked("resolution_data"),
        pixmask_fraction=stacked("pixmask_fraction"),
        chi2pix=stacked("chi2pix"),
        modelimage=sum(models[1:], models[0]) if models else None,
    )


def _logger(level: str | None) -> Any:
    logger = logging.getLogger("libspecex")
    if level is not None:
        logger.setLevel(level.upper())
    return logger.log


def _cut_out(psf: Psf, xyrange: Sequence[int]) -> Psf:
    """The PSF in the pixels of a piece of its CCD."""
    xtrace, ytrace = psf.xtrace.copy(), psf.ytrace.copy()
    xtrace[:, 0] -= xyrange[0]
    ytrace[:, 0] -= xyrange[2]
    return replace(psf, xtrace=xtrace, ytrace=ytrace, nx=0, ny=0)


def _nine_sigma(context: Context, psf: Psf, dw: float) -> int:
    """How many bins 9 standard deviations of the highest of some spots are.

    They are those of the first, middle and last fibre at three wavelengths.
    """
    info = context.psf_info()
    wave = np.linspace(info.wavemin, info.wavemax, 3)
    sigma_y = psf.params[psf.param_names.index("GHSIGY")]
    bins = 0.0
    for fiber in (0, psf.nspec // 2, psf.nspec - 1):
        rows = Legendre(sigma_y[fiber], domain=psf.param_range)(wave)
        y = [context.trace(fiber, wave + side)[1] for side in (-dw / 2, dw / 2)]
        bins = max(bins, np.max(9.0 * rows / (y[1] - y[0])))
    return round(bins)
