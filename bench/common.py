# SPDX-License-Identifier: BSD-3-Clause
"""What the programs of this folder share: the machine, and peers that may not be there."""

import importlib
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
ONE_CORE = {
    name: "1"
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
}
CORES = len(os.sched_getaffinity(0))


def missing(modules):
    """Why a peer's modules cannot be used; None if they can. PyPI has another `specter`."""
    try:
        for module in modules:
            importlib.import_module(module)
    except Exception as error:  # whatever an import may raise
        return f"{type(error).__name__}: {error}"
    return None


def processor():
    """This processor's name, as the kernel calls it."""
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as cpuinfo:
        lines = (line.split(": ", 1) for line in cpuinfo if line.startswith("model name"))
        return next((words[1].strip() for words in lines if len(words) > 1), "unknown")


def best_coretype():
    """OpenBLAS's name for the widest vectors of this processor."""
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as cpuinfo:
        flags = next((line.split() for line in cpuinfo if line.startswith("flags")), [])
    for flag, name in (("avx512dq", "SKYLAKEX"), ("avx2", "HASWELL")):
        if flag in flags:
            return name
    return None


def agreement(ours, theirs):
    """Largest differences over the bins that both measured with most of their pixels."""
    import numpy as np

    good = (ours["IVAR"] > 0) & (theirs["ivar"] > 0) & (ours["PIXMASK_FRACTION"] < 0.5)
    pull = np.abs(ours["FLUX"] - theirs["flux"]) * np.sqrt(ours["IVAR"])
    ivar = np.abs(theirs["ivar"][good] / ours["IVAR"][good] - 1)
    mine, other = ours["RESOLUTION"], theirs["resolution"]
    half = min(mine.shape[1], other.shape[1]) // 2

    def middle(diagonals):
        center = diagonals.shape[1] // 2
        return diagonals[:, center - half : center + half + 1]

    resolution = np.abs(middle(mine) - middle(other)).max(axis=1)[good]
    return {
        "bins": int(good.sum()),
        "pull": float(pull[good].max()), "pull_99.9": float(np.percentile(pull[good], 99.9)),
        "ivar": float(ivar.max()), "ivar_99.9": float(np.percentile(ivar, 99.9)),
        "resolution": float(resolution.max()),
    }
