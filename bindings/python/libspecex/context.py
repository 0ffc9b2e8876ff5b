# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

from ctypes import byref, c_int64, c_void_p, create_string_buffer, sizeof
from enum import IntEnum
from typing import Any, Callable, Mapping, Sequence, TypeVar
from weakref import WeakValueDictionary, finalize

import numpy as np

from . import _signals
from ._arrays import address, contiguous, with_shape
from ._device import cupy, on_device
from ._library import LogCallback, ProgressCallback, library
from ._structs import specex_options, specex_psf_info, specex_result
from .constants import NSTAGE, Backend, Compat, Decorrelate, Status
from .errors import check
from .frame import Frame
from .grid import Grid
from .image import Image
from .patches import Patch, PatchResult
from .psf import Psf, PsfInfo

_contexts: WeakValueDictionary[Any, Context] = WeakValueDictionary()
_Number = TypeVar("_Number", bound=IntEnum)


@LogCallback
def _on_log(level: int, message: bytes, handle: int) -> None:
    _contexts[handle]._tell(level, message.decode(errors="replace"))


@ProgressCallback
def _on_progress(done: int, total: int, handle: int) -> int:
    return _contexts[handle]._report(done, total)


class Context:
    """What a program extracts with: options, threads and a PSF.

    Options are those of `specex_options`; the ones left out are the library's defaults.
    `backend`, `compat` and `decorrelate` may be given by name: `backend="reference"`.

    `progress(done, total)` is called once a patch and stops the call where it returns
    False; `log(level, message)` gets the library's messages, with levels as `logging` has
    them, so that it may be `logging.getLogger("libspecex").log`. What these functions
    raise ends the call and is raised by it. They may be replaced between calls.

    A context serves one call at a time; threads that extract in parallel have one each.
    It is freed by `close()`, at the end of a `with` block, or with its last reference.
    """

    progress: Callable[[int, int], Any] | None
    log: Callable[[int, str], Any] | None

    def __init__(
        self,
        *,
        backend: Backend | str = Backend.AUTO,
        compat: Compat | str = Compat.NONE,
        decorrelate: Decorrelate | str = Decorrelate.SIGNAL,
        num_threads: int | None = None,
        bundlesize: int | None = None,
        nsubbundles: int | None = None,
        nwavestep: int | None = None,
        wavepad: int | None = None,
        wavepad_frac: float | None = None,
        pixpad_frac: float | None = None,
        regularize: float | None = None,
        psferr: float | None = None,
        strict: bool = False,
        device: int | None = None,
        num_devices: int | None = None,
        device_memory: int | None = None,
        spot_memory: int | None = None,
        progress: Callable[[int, int], Any] | None = None,
        log: Callable[[int, str], Any] | None = None,
    ) -> None:
        chosen = dict(
            backend=_number(Backend, backend),
            compat=_number(Compat, compat),
            decorrelate=_number(Decorrelate, decorrelate),
            num_threads=num_threads,
            bundlesize=bundlesize,
            nsubbundles=nsubbundles,
            nwavestep=nwavestep,
            wavepad=wavepad,
            wavepad_frac=wavepad_frac,
            pixpad_frac=pixpad_frac,
            regularize=regularize,
            psferr=psferr,
            strict=strict,
            device=device,
            num_devices=num_devices,
            device_memory=device_memory,
            spot_memory=spot_memory,
        )
        options = specex_options()
        check(library.specex_options_init(byref(options), sizeof(options)))
        for name, value in chosen.items():
            if value is not None:
                setattr(options, name, value)
        handle = c_void_p()
        check(library.specex_create(byref(options), byref(handle)))
        self._handle = handle.value
        _contexts[handle.value] = self
        self._free = finalize(self, library.specex_destroy, handle)
        self._failure: BaseException | None = None  # that a callback raised
        self._handle_signals: Callable[[], None] = lambda: None
        self.progress = progress
        self.log = log
        self._call(library.specex_set_log, _on_log, handle)
        self._call(library.specex_set_progress, _on_progress, handle)

    def close(self) -> None:
        """Frees what the context holds; from then on every call with it is an error."""
        if self._handle is not None:
            check(library.specex_destroy(self._handle))
            self._free.detach()
            self._handle = None

    def __enter__(self) -> Context:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()

    # ------------------------------------------------------------ what it is

    def describe(self) -> str:
        """What the context runs on, in a line of text."""
        buffer = create_string_buffer(256)
        self._call(library.specex_describe, buffer, len(buffer))
        return buffer.value.decode()

    def stage_seconds(self) -> dict[str, float]:
        """The seconds that each stage of the last extraction took, over all threads."""
        seconds = np.zeros(NSTAGE)
        self._call(library.specex_stage_seconds, address(seconds), len(seconds))
        return {stage_name(stage): float(took) for stage, took in enumerate(seconds)}

    # ------------------------------------------------------------ PSF

    def set_psf(self, psf: Psf) -> Context:
        """Checks and copies a PSF into the context, in place of any earlier one."""
        self._call(library.specex_set_psf, byref(psf._struct()))
        return self

    def psf_info(self) -> PsfInfo:
        """What the context's PSF says of sizes and wavelengths."""
        info = specex_psf_info()
        self._call(library.specex_get_psf_info, byref(info))
        return PsfInfo(*(getattr(info, name) for name in PsfInfo._fields))

    def trace(self, fiber: int, wave: Any) -> tuple[np.ndarray, np.ndarray]:
        """The pixels `(x, y)` where a fibre's light of the given wavelengths falls."""
        wave = contiguous(wave, "wave", np.float64, 1)
        x, y = np.empty_like(wave), np.empty_like(wave)
        self._call(
            library.specex_trace, fiber, address(wave), len(wave), address(x), address(y)
        )
        return x, y

    # ------------------------------------------------------------ frames

    def extract_frame(
        self,
        image: Image,
        grid: Grid,
        fibers: range | None = None,
        *,
        resolution: bool = True,
        model: bool = False,
        out: Mapping[str, Any] | None = None,
    ) -> Frame:
        """Extracts the fibres of a range, all of the PSF's where it is None.

        A patch that fails is masked and counted in `npatch_failed`; it is no exception.

        The frame of an image on a GPU is made of CuPy's arrays where CuPy is installed,
        any other of NumPy's. `out` may have arrays to be filled instead, by their names
        in a Frame, in the host's memory or on a GPU: `out={"flux": flux}` gives the flux
        alone.
        """
        info = self.psf_info()
        fibers = _consecutive(range(info.nspec) if fibers is None else fibers)
        if out is not None:
            return self._fill(Frame._of_arrays(out, fibers.start), image, grid, fibers)
        ndiag = info.ndiag if resolution else None
        model_shape = image.shape if model else None
        arrays = (cupy() if on_device(image.pixels) else None) or np
        frame = Frame._empty(grid, fibers, ndiag, model_shape, arrays)
        return self._fill(frame, image, grid, fibers)

    def _fill(self, frame: Frame, image: Image, grid: Grid, fibers: range) -> Frame:
        view = frame._struct()
        self._run(
            library.specex_extract_frame,
            byref(image._struct()),
            byref(grid._struct()),
            fibers.start,
            len(fibers),
            byref(view),
        )
        return frame._take_counts(view)

    def project(
        self,
        grid: Grid,
        fibers: range,
        spectra: Any,
        shape: tuple[int, int] | None = None,
    ) -> np.ndarray:
        """The forward model: the image, in electrons, that spectra would make.

        `spectra` are `[len(fibers), nwave]`, in electrons per Angstrom; `shape` is
        `(ny, nx)`, that of the PSF's CCD where it is None.
        """
        info = self.psf_info()
        fibers = _consecutive(fibers)
        spectra = contiguous(spectra, "spectra", np.float64, 2)
        with_shape(spectra, "spectra", (len(fibers), grid.nwave))
        ny, nx = (info.ny, info.nx) if shape is None else shape
        image = np.empty((max(ny, 0), max(nx, 0)))  # the library judges the sizes
        self._run(
            library.specex_project,
            byref(grid._struct()),
            fibers.start,
            len(fibers),
            address(spectra),
            nx,
            ny,
            address(image),
        )
        return image

    # ------------------------------------------------------------ patches

    def plan(self, grid: Grid, fibers: range) -> list[Patch]:
        """The patches into which the extraction of these fibres is divided."""
        fibers, count = _consecutive(fibers), c_int64()
        ask = (library.specex_plan, byref(grid._struct()), fibers.start, len(fibers))
        self._call(*ask, None, 0, byref(count))
        patches = _array(Patch, [Patch() for _ in range(count.value)])
        self._call(*ask, patches, len(patches), byref(count))
        return list(patches)

    def extract_patches(
        self, image: Image, patches: Sequence[Patch], *, model: bool = False
    ) -> list[PatchResult]:
        """Extracts patches that `plan` made, in parallel; a failed one says so itself."""
        results = [PatchResult._empty(patch, model) for patch in patches]
        views = _array(specex_result, [result._struct() for result in results])
        self._run(
            library.specex_extract_patches,
            byref(image._struct()),
            _array(Patch, patches),
            len(patches),
            views,
        )
        return [result._take_outcome(view) for result, view in zip(results, views)]

    def assemble(
        self,
        grid: Grid,
        fibers: range,
        patches: Sequence[Patch],
        results: Sequence[PatchResult],
        image_shape: tuple[int, int] | None = None,
    ) -> Frame:
        """Places patches in a frame; with the image's shape, their models as well."""
        if len(results) != len(patches):
            raise ValueError(f"{len(results)} results of {len(patches)} patches")
        for patch, result in zip(patches, results):
            result._check(patch)
        frame = Frame._empty(
            grid, _consecutive(fibers), self.psf_info().ndiag, image_shape
        )
        frame.wavelength[:] = grid.wavelength
        view = frame._struct()
        self._call(
            library.specex_assemble,
            _array(Patch, patches),
            _array(specex_result, [result._struct() for result in results]),
            len(patches),
            byref(view),
        )
        return frame._take_counts(view)

    # ------------------------------------------------------------ calls and callbacks

    def _call(self, function: Any, *arguments: Any) -> Status:
        """Every call with a context, but those that close it, goes through here."""
        status = function(self._handle, *arguments)
        if self._failure is not None and status != Status.ERROR_BUSY:
            failure, self._failure = self._failure, None
            raise failure
        return check(status, self._handle)

    def _run(self, function: Any, *arguments: Any) -> Status:
        """A call that takes its time, and that Ctrl-C stops at its next patch."""
        with _signals.deferred() as self._handle_signals:
            return self._call(function, *arguments)

    def _report(self, done: int, total: int) -> int:
        try:
            self._handle_signals()
            return self.progress is not None and self.progress(done, total) is False
        except BaseException as failure:  # no exception may unwind the library
            self._failure = failure
            return 1

    def _tell(self, level: int, message: str) -> None:
        try:
            if self.log is not None:
                self.log(level, message)
        except BaseException as failure:
            self._failure = failure


def _number(kind: type[_Number], choice: _Number | str) -> int:
    if not isinstance(choice, str):
        return int(choice)
    try:
        return kind[choice.upper()]
    except KeyError:
        names = ", ".join(member.name.lower() for member in kind)
        raise ValueError(f"{choice!r} is none of {names}") from None


def _array(kind: Any, items: Sequence[Any]) -> Any:
    return (kind * len(items))(*items)


def _consecutive(fibers: range) -> range:
    if fibers.step != 1:
        raise ValueError(f"{fibers} leaves out fibres; extract a range without gaps")
    return fibers


def stage_name(stage: int) -> str:
    """The name of a stage, such as `spots`."""
    return library.specex_stage_name(stage).decode()


def version() -> str:
    """The library's version, which may be newer than the package's."""
    return library.specex_version().decode()
