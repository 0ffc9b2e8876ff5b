# SPDX-License-Identifier: BSD-3-Clause
"""Preproc images, PSFs and frames as DESI writes them.

Functions take the context whose threads they are to use, or else make their own.
"""

from __future__ import annotations

import os
from ctypes import byref, c_void_p, create_string_buffer
from numbers import Integral
from typing import Any, Mapping, Union
from weakref import finalize

import numpy as np

from ._arrays import address, contiguous, with_shape
from ._library import library
from ._structs import (
    specex_fits_card,
    specex_fits_output,
    specex_frame,
    specex_image,
    specex_psf,
)
from .constants import BADMASK_DEFAULT, CardType
from .context import Context
from .errors import check
from .frame import Frame
from .image import Image
from .psf import Psf

FilePath = Union[str, "os.PathLike[str]"]


class FitsFile:
    """What was read from a file: `file["CAMERA"]` is the text of a header key.

    Its memory is freed with the last reference to it and to all arrays taken from it.
    """

    def __init__(self, handle: int | None) -> None:
        self._handle = handle
        self._free = finalize(self, library.specex_fits_free, handle)
        self._free.atexit = False  # arrays may still be in use

    def __getitem__(self, key: str) -> str:
        buffer = create_string_buffer(256)
        name = _c_text(key)
        try:
            check(library.specex_fits_get_key(self._handle, name, buffer, len(buffer)))
        except ValueError as error:
            raise KeyError(str(error)) from None
        return buffer.value.decode(errors="replace")

    def _view(self, get: Any, struct: Any) -> Any:
        view = struct()
        check(get(self._handle, byref(view)))
        return view


def read_image(
    path: FilePath, badmask: int = BADMASK_DEFAULT, context: Context | None = None
) -> Image:
    """Reads a preproc file; pixels with a bit of `badmask` in their MASK get ivar 0."""
    file = _read(library.specex_fits_read_image, context, path, badmask)
    return Image._of_file(file, file._view(library.specex_fits_get_image, specex_image))


def read_psf(path: FilePath, context: Context | None = None) -> Psf:
    """Reads a PSF file."""
    file = _read(library.specex_fits_read_psf, context, path)
    return Psf._of_file(file, file._view(library.specex_fits_get_psf, specex_psf))


def read_frame(path: FilePath, context: Context | None = None) -> Frame:
    """Reads a frame or truth file."""
    file = _read(library.specex_fits_read_frame, context, path)
    return Frame._of_file(file, file._view(library.specex_fits_get_frame, specex_frame))


def read_fibermap(path: FilePath, context: Context | None = None) -> FitsFile:
    """Reads the FIBERMAP of any file, to be written with a frame or an image."""
    return _read(library.specex_fits_read_fibermap, context, path)


def write_frame(
    path: FilePath,
    frame: Frame,
    *,
    input: FitsFile | None = None,
    fibermap: FitsFile | None = None,
    cards: Mapping[str, Any] = {},
    float64: bool = False,
    scores: bool = False,
    context: Context | None = None,
) -> None:
    """Writes a frame, but for its model, which is an image.

    Header keys and FIBERMAP of the image file `input` are passed on; `fibermap` is a file
    whose FIBERMAP is taken instead. `cards` are header keys to add:
    `{"OBSTYPE": "SCIENCE", "GAIN": (1.5, "of the amplifier")}`.
    """
    output = _output(input, fibermap, cards, float64, scores)
    _write(library.specex_fits_write_frame, context, path, byref(frame._struct()), output)


def write_image(
    path: FilePath,
    image: Image,
    *,
    mask: Any = None,
    input: FitsFile | None = None,
    fibermap: FitsFile | None = None,
    cards: Mapping[str, Any] = {},
    float64: bool = False,
    context: Context | None = None,
) -> None:
    """Writes a preproc file, for options see `write_frame`; `mask` is `[ny, nx]`."""
    if mask is not None:
        mask = with_shape(contiguous(mask, "mask", np.int32, 2), "mask", image.shape)
    output = _output(input, fibermap, cards, float64)
    _write(
        library.specex_fits_write_image,
        context,
        path,
        byref(image._struct()),
        address(mask),
        output,
    )


def write_psf(
    path: FilePath,
    psf: Psf,
    *,
    input: FitsFile | None = None,
    fibermap: FitsFile | None = None,
    cards: Mapping[str, Any] = {},
    float64: bool = False,
    context: Context | None = None,
) -> None:
    """Writes a PSF file, for options see `write_frame`."""
    output = _output(input, fibermap, cards, float64)
    _write(library.specex_fits_write_psf, context, path, byref(psf._struct()), output)


def _read(
    function: Any, context: Context | None, path: FilePath, *more: Any
) -> FitsFile:
    handle = c_void_p()
    (context or Context())._call(function, _c_text(path), *more, byref(handle))
    return FitsFile(handle.value)


def _write(
    function: Any, context: Context | None, path: FilePath, *more: Any
) -> None:
    (context or Context())._call(function, _c_text(path), *more)


def _output(
    input: FitsFile | None,
    fibermap: FitsFile | None,
    cards: Mapping[str, Any],
    float64: bool,
    scores: bool = False,
) -> specex_fits_output:
    c_cards = [_card(name, content) for name, content in cards.items()]
    return specex_fits_output(
        input=input and input._handle,
        fibermap=fibermap and fibermap._handle,
        cards=(specex_fits_card * len(c_cards))(*c_cards),
        ncard=len(c_cards),
        float64=float64,
        scores=scores,
    )


def _card(name: str, content: Any) -> specex_fits_card:
    value, comment = content if isinstance(content, tuple) else (content, "")
    if isinstance(value, (bool, np.bool_)):
        kind, text = CardType.LOGICAL, "T" if value else "F"
    elif isinstance(value, Integral):
        kind, text = CardType.INTEGER, str(int(value))
    elif isinstance(value, str):
        kind, text = CardType.TEXT, value
    else:
        kind, text = CardType.REAL, repr(float(value))
    return specex_fits_card(
        name=_c_text(name), value=_c_text(text), comment=_c_text(comment), type=kind
    )


def _c_text(text: FilePath) -> bytes:
    data = os.fsencode(text)
    if b"\0" in data:  # where C would take the text to end
        raise ValueError(f"{text!r} has a NUL in it")
    return data
