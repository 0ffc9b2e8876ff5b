# SPDX-License-Identifier: BSD-3-Clause
"""What the programs of this folder share: peers that may not be there, and their cores."""

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


def best_coretype():
    """OpenBLAS's name for the widest vectors of this processor."""
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as cpuinfo:
        flags = next((line.split() for line in cpuinfo if line.startswith("flags")), [])
    for flag, name in (("avx512dq", "SKYLAKEX"), ("avx2", "HASWELL")):
        if flag in flags:
            return name
    return None
