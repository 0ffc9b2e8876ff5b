# SPDX-License-Identifier: BSD-3-Clause
"""What bench/gpu measures, step by step, through the Python package.

Imported once LIBSPECEX_LIBRARY names the library. A step returns what goes into the JSON.
"""

import hashlib
import json
import mmap
import os
import queue
import re
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import numpy as np

import libspecex
from common import CORES, ROOT
from libspecex import Context, Grid, Image

LIMITS = {"flux_sigma": 1e-6, "ivar_relative": 1e-8, "resolution": 1e-8, "mask_bins": 0}
SANITIZED_BINS = 60
DEAD_ROWS = 3
# What the device does itself; it takes pixels from the image, and `frame` is the host's.
DEVICE_STAGES = (
    "spots",
    "blocks",
    "gather",
    "elimination",
    "flux",
    "root",
    "model",
    "finish",
)


# ---------------------------------------------------------------- what is extracted


def grid_of(wavelength, bins):
    """The grid of a range, or the first bins of it."""
    grid = Grid.from_range(*map(float, wavelength.split(",")))
    return Grid(grid.wavemin, grid.wavestep, bins or grid.nwave)


def make_up_files(specex, grid, fibers, folder):
    """A PSF, and an image of it with cosmics, bad columns and dead rows."""
    psf, image = folder / "psf.fits", folder / "image.fits"
    light = f"--seed 1 --cosmics {2 * fibers} --badcolumns {1 + fibers // 100}".split()
    for command in (
        ["make-psf", "--camera", "r", "--nspec", str(fibers), "-o", psf],
        ["simulate", "-p", psf, "-o", image, *light],
    ):
        subprocess.run([specex, *command], check=True)
    seen = libspecex.read_image(image)
    ivar = np.array(seen.ivar)
    with Context(backend="cpu") as context:
        context.set_psf(libspecex.read_psf(psf))
        _, ends = context.trace(fibers // 2, grid.wavelength[[0, -1]])
    ivar[np.linspace(*ends, DEAD_ROWS + 2).astype(int)[1:-1]] = 0
    libspecex.write_image(image, Image(seen.pixels, ivar), input=seen.file)
    return image, psf


class Problem:
    """The image, PSF, bins and GPU that every step has."""

    def __init__(self, image, psf, grid, fibers, gpu, device):
        self.image_file, self.psf_file = image, psf
        self.gpu, self.device = gpu, device
        seen = libspecex.read_image(image)
        self.image = Image(seen.pixels.astype("f4"), seen.ivar.astype("f4"))
        self.psf = libspecex.read_psf(psf)
        self.grid = grid
        self.fibers = range(fibers or self.psf.nspec)

    @property
    def wavelength(self):
        """The range as programs are told it."""
        last = self.grid.wavemin + self.grid.wavestep * (self.grid.nwave - 1)
        return f"{self.grid.wavemin},{last},{self.grid.wavestep}"

    def context(self, backend, **options):
        where = {"device": self.device} if backend == "cuda" else {}
        return Context(backend=backend, **where, **options).set_psf(self.psf)

    def extract(self, context):
        return context.extract_frame(self.image, self.grid, self.fibers, model=True)


def on_own_pages(shape, dtype):
    """An array that has its pages to itself, which is what can be pinned."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    return np.frombuffer(mmap.mmap(-1, size), dtype).reshape(shape)


class Buffers:
    """Memory of one frame on its way, image and results, pinned or not."""

    def __init__(self, problem, ndiag, pinned):
        self.gpu, self.pinned = problem.gpu, pinned
        planes = []
        for plane in (problem.image.pixels, problem.image.ivar):
            planes.append(on_own_pages(plane.shape, "f4"))
            planes[-1][...] = plane
        self.image = Image(*planes)
        nspec, nwave = len(problem.fibers), problem.grid.nwave
        self.out = {
            name: on_own_pages((nspec, nwave), "f8")
            for name in ("flux", "ivar", "chi2pix", "pixmask_fraction")
        }
        self.out["mask"] = on_own_pages((nspec, nwave), "i4")
        self.out["resolution_data"] = on_own_pages((nspec, ndiag, nwave), "f8")
        self.out["wavelength"] = on_own_pages((nwave,), "f8")
        self.arrays = [*planes, *self.out.values()]
        self.upload_bytes = sum(plane.nbytes for plane in planes)
        self.download_bytes = sum(array.nbytes for array in self.out.values())

    def __enter__(self):
        if self.pinned:
            for array in self.arrays:
                self.gpu.pin(array)
        return self

    def __exit__(self, *_):
        if self.pinned:
            for array in self.arrays:
                self.gpu.unpin(array)

    def extract(self, context, problem):
        return context.extract_frame(
            self.image, problem.grid, problem.fibers, out=self.out
        )


# ---------------------------------------------------------------- right


def difference(frame, expected):
    known = expected.ivar > 0
    scale = np.where(known, expected.ivar, 1)
    return {
        "flux_sigma": float(
            np.max(np.abs(frame.flux - expected.flux) * np.sqrt(expected.ivar))
        ),
        "ivar_relative": float(np.max(np.abs(frame.ivar - expected.ivar) / scale)),
        "resolution": float(
            np.max(np.abs(frame.resolution_data - expected.resolution_data))
        ),
        "mask_bins": int(np.sum(frame.mask != expected.mask)),
        "model_electrons": float(np.max(np.abs(frame.model - expected.model))),
    }


def within_limits(found):
    return all(found[name] <= limit for name, limit in LIMITS.items())


def digest(frame):
    bits = hashlib.sha256()
    for name in (
        "flux",
        "ivar",
        "mask",
        "resolution_data",
        "chi2pix",
        "pixmask_fraction",
        "model",
    ):
        bits.update(getattr(frame, name))
    return bits.hexdigest()


def check(problem, compat, runs):
    """How far the cuda backend is from the cpu one, and whether it repeats its bits."""
    messages = []
    with problem.context("cpu", compat=compat) as context:
        expected = problem.extract(context)
    with problem.context("cuda", compat=compat) as context:
        context.log = lambda level, message: messages.append(message)
        frame = problem.extract(context)
        found = difference(frame, expected)
        digests = {digest(frame)}
        digests.update(digest(problem.extract(context)) for _ in range(runs - 1))
    solved = [
        re.search(r"solved (\d+) of (\d+) windows", message) for message in messages
    ]
    on_gpu, windows = next(
        (map(int, match.groups()) for match in solved if match), (0, 0)
    )
    return {
        **found,
        "runs": runs,
        "results": len(digests),
        "windows": windows,
        "windows_on_gpu": on_gpu,
        "patches_failed": frame.npatch_failed,
        "passed": within_limits(found) and len(digests) == 1,
    }


# ---------------------------------------------------------------- fast


def time_frame(problem, backend, compat, pinned, turns):
    """From the image in host memory to all results in host memory, and the stages of the
    fastest turn."""
    fastest = None
    with problem.context(backend, compat=compat) as context:
        with Buffers(problem, context.psf_info().ndiag, pinned) as buffers:
            buffers.extract(context, problem)
            seconds = []
            for _ in range(turns):
                start = time.perf_counter()
                buffers.extract(context, problem)
                seconds.append(time.perf_counter() - start)
                if seconds[-1] == min(seconds):
                    fastest = context.stage_seconds()
    return {
        "least_s": min(seconds),
        "median_s": statistics.median(seconds),
        "turns": turns,
        "stages_s": fastest,
    }


def sustain(problem, backend, contexts, frames):
    """Frames per second of several contexts, each with a thread and memory of its own."""
    free = queue.SimpleQueue()

    def extract_one(_):
        context, buffers = free.get()
        try:
            buffers.extract(context, problem)
        finally:
            free.put((context, buffers))

    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(contexts))
        for _ in range(contexts):
            context = stack.enter_context(
                problem.context(backend, num_threads=max(1, CORES // contexts))
            )
            buffers = stack.enter_context(
                Buffers(problem, context.psf_info().ndiag, backend == "cuda")
            )
            buffers.extract(context, problem)  # so that all is loaded and allocated
            free.put((context, buffers))
        start = time.perf_counter()
        list(pool.map(extract_one, range(frames)))
        seconds = time.perf_counter() - start
    return {
        "contexts": contexts,
        "frames": frames,
        "seconds": seconds,
        "frames_per_s": frames / seconds,
    }


def device_memory(problem):
    """Bytes that a context holds once it has extracted a frame: it gives none back before
    its end, so that this is the most it had."""
    before = problem.gpu.bytes_in_use()
    with problem.context("cuda") as context:
        problem.extract(context)
        return {"frame_bytes": problem.gpu.bytes_in_use() - before}


# ---------------------------------------------------------------- as fast as can be


def count_work(problem, specex, folder):
    """Flops and bytes of each stage, by the formulas of src/bench_work.cpp."""
    path = folder / "work.json"
    image, psf, fibers = problem.image_file, problem.psf_file, str(len(problem.fibers))
    command = [specex, "bench", "-i", image, "-p", psf, "-w", problem.wavelength]
    command += ["-n", fibers, "--repeat", "1", "--json", path]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    counted = json.loads(path.read_text(encoding="utf-8"))
    return {
        name: {"flops": stage["flops"], "bytes": stage["bytes"]}
        for name, stage in counted["extraction"]["stages"].items()
        if name in DEVICE_STAGES
    }


def roofline(problem, timed, specex, folder):
    """Each stage's time over the least that the ceilings allow, and the whole frame's."""
    work = count_work(problem, specex, folder)
    with problem.context("cpu") as context:
        ndiag = context.psf_info().ndiag
    pageable = Buffers(problem, ndiag, False)
    with Buffers(problem, ndiag, True) as pinned:
        big = "resolution_data"
        speeds = problem.gpu.copy_speeds(pinned.out[big], pageable.out[big])
    flops = problem.gpu.peak_flops()

    def least(of):
        by_flops = of["flops"] / flops if flops else 0.0
        return max(by_flops, of["bytes"] / speeds["device"])

    stages = {}
    for name, counted in work.items():
        seconds = timed["stages_s"][name]
        stages[name] = {
            **counted,
            "seconds": seconds,
            "least_s": least(counted),
            "ratio": seconds / least(counted),
        }
    device_s = sum(stage["seconds"] for stage in stages.values())
    device_least = sum(stage["least_s"] for stage in stages.values())
    upload = pinned.upload_bytes / speeds["pinned"]["upload"]
    download = pinned.download_bytes / speeds["pinned"]["download"]
    whole_least = upload + device_least + download
    return {
        "bytes_per_s": speeds,
        "flops_per_s": flops,
        "stages": stages,
        "device": {
            "seconds": device_s,
            "least_s": device_least,
            "ratio": device_s / device_least,
        },
        "upload": {"bytes": pinned.upload_bytes, "least_s": upload},
        "download": {"bytes": pinned.download_bytes, "least_s": download},
        "frame": {
            "seconds": timed["least_s"],
            "least_s": whole_least,
            "ratio": timed["least_s"] / whole_least,
        },
    }


# ---------------------------------------------------------------- with others' tools

EXTRACT_FEW = """
import sys
from libspecex import Context, Grid, read_image, read_psf
image, psf, wavemin, wavestep, bins, device = sys.argv[1:]
context = Context(backend="cuda", device=int(device)).set_psf(read_psf(psf))
grid = Grid(float(wavemin), float(wavestep), int(bins))
context.extract_frame(read_image(image), grid, range(3), model=True)
context.close()
"""


def sanitize(problem, tool, sanitizer):
    """Whether compute-sanitizer has anything to report of a small frame."""
    start = time.perf_counter()
    grid = problem.grid
    command = [sanitizer, "--tool", tool, "--error-exitcode", "99"]
    command += [sys.executable, "-c", EXTRACT_FEW, problem.image_file, problem.psf_file]
    command += map(str, (grid.wavemin, grid.wavestep, SANITIZED_BINS, problem.device))
    done = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": str(ROOT / "bindings" / "python")},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    return {
        "returned": done.returncode,
        "passed": done.returncode == 0,
        "seconds": time.perf_counter() - start,
        "last_lines": done.stdout.splitlines()[-5:],
    }
