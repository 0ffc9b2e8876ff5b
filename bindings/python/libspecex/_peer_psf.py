# SPDX-License-Identifier: BSD-3-Clause
"""PSFs as gpu_specter and specter have them in memory, and as they read them."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any, Mapping, Union

import numpy as np

from .fits import read_psf
from .psf import Psf

AnyPsf = Union[str, "os.PathLike[str]", Mapping[str, Any], Psf, Any]


def as_psf(psf: AnyPsf) -> Psf:
    """Ours, a file's, gpu_specter's dictionary of tables or specter's GaussHermitePSF."""
    if isinstance(psf, Psf):
        return psf
    if isinstance(psf, (str, os.PathLike)):
        return _of_file(psf)
    if isinstance(psf, Mapping):
        return _of_tables(psf)
    if hasattr(psf, "coeff") and hasattr(psf, "_polyparams"):
        return _of_specter(psf)
    raise TypeError(
        f"a PSF is a file's name, a libspecex.Psf, gpu_specter's dictionary of tables or "
        f"specter's GaussHermitePSF, not {type(psf).__name__}"
    )


def _of_file(path: Union[str, "os.PathLike[str]"]) -> Psf:
    """With the PSF error of PSFERR, which they look for, not that of PSFERROR."""
    psf = read_psf(path)
    header: Any = psf.file
    try:
        psferr = float(header["PSFERR"])
    except KeyError:
        psferr = 0.0  # unknown: they, too, take 0.01
    return replace(psf, psferr=psferr)


def _sizes(header: Mapping[str, Any]) -> dict[str, Any]:
    return {key.lower(): header[key] for key in ("HSIZEX", "HSIZEY", "GHDEGX", "GHDEGY")}


def _of_tables(psf: Mapping[str, Any]) -> Psf:
    table, xtrace, ytrace = psf["PSF"], psf["XTRACE"], psf["YTRACE"]
    names = [n.decode() if isinstance(n, bytes) else str(n) for n in table["PARAM"]]

    def wave_range(meta: Mapping[str, Any]) -> tuple[float, float]:
        return meta["WAVEMIN"], meta["WAVEMAX"]

    return Psf(
        xtrace=xtrace["X"],
        ytrace=ytrace["Y"],
        param_names=[name.strip() for name in names],
        params=table["COEFF"],
        xtrace_range=wave_range(xtrace.meta),
        ytrace_range=wave_range(ytrace.meta),
        param_range=wave_range(table.meta),
        psferr=table.meta.get("PSFERR", 0.0),
        **_sizes(table.meta),
    )


def _of_specter(psf: Any) -> Psf:
    def wave_range(series: Any) -> tuple[float, float]:
        return series._xmin, series._xmax

    return Psf(
        xtrace=psf._x._coeff,
        ytrace=psf._y._coeff,
        param_names=list(psf.coeff),
        params=np.stack([series._coeff for series in psf.coeff.values()]),
        xtrace_range=wave_range(psf._x),
        ytrace_range=wave_range(psf._y),
        param_range=wave_range(psf.coeff["GHSIGX"]),
        nx=psf.npix_x,
        ny=psf.npix_y,
        psferr=psf.psferr,
        **_sizes(psf._polyparams),
    )
