# SPDX-License-Identifier: BSD-3-Clause
"""The C library and the declarations of its functions, as the headers have them."""

from __future__ import annotations

import os
from ctypes import CDLL, CFUNCTYPE, POINTER
from ctypes import c_char_p, c_double, c_int32, c_int64, c_void_p
from pathlib import Path

from ._structs import (
    specex_fits_output,
    specex_frame,
    specex_grid,
    specex_image,
    specex_options,
    specex_patch,
    specex_psf,
    specex_psf_info,
    specex_result,
)

SONAME = "libspecex.so.0"

LogCallback = CFUNCTYPE(None, c_int32, c_char_p, c_void_p)
ProgressCallback = CFUNCTYPE(c_int32, c_int64, c_int64, c_void_p)

_context = _file = c_void_p
_status = c_int32
_P = POINTER

# Name: result, arguments.
FUNCTIONS = {
    "specex_status_name": (c_char_p, _status),
    "specex_status_text": (c_char_p, _status),
    "specex_version": (c_char_p,),
    "specex_options_init": (_status, _P(specex_options), c_int64),
    "specex_create": (_status, _P(specex_options), _P(_context)),
    "specex_destroy": (_status, _context),
    "specex_last_error": (c_char_p, _context),
    "specex_describe": (_status, _context, c_char_p, c_int64),
    "specex_set_log": (_status, _context, LogCallback, c_void_p),
    "specex_set_progress": (_status, _context, ProgressCallback, c_void_p),
    "specex_set_psf": (_status, _context, _P(specex_psf)),
    "specex_get_psf_info": (_status, _context, _P(specex_psf_info)),
    "specex_trace": (_status, _context, c_int32, c_void_p, c_int64, c_void_p, c_void_p),
    "specex_grid_from_range": (_status, c_double, c_double, c_double, _P(specex_grid)),
    "specex_plan": (
        _status, _context, _P(specex_grid), c_int32, c_int32, _P(specex_patch), c_int64,
        _P(c_int64),
    ),
    "specex_extract_patches": (
        _status, _context, _P(specex_image), _P(specex_patch), c_int64, _P(specex_result)
    ),
    "specex_assemble": (
        _status, _context, _P(specex_patch), _P(specex_result), c_int64, _P(specex_frame)
    ),
    "specex_extract_frame": (
        _status, _context, _P(specex_image), _P(specex_grid), c_int32, c_int32,
        _P(specex_frame),
    ),
    "specex_stage_name": (c_char_p, c_int32),
    "specex_stage_seconds": (_status, _context, c_void_p, c_int64),
    "specex_project": (
        _status, _context, _P(specex_grid), c_int32, c_int32, c_void_p, c_int64, c_int64,
        c_void_p,
    ),
    "specex_fits_read_image": (_status, _context, c_char_p, c_int64, _P(_file)),
    "specex_fits_read_psf": (_status, _context, c_char_p, _P(_file)),
    "specex_fits_read_frame": (_status, _context, c_char_p, _P(_file)),
    "specex_fits_read_fibermap": (_status, _context, c_char_p, _P(_file)),
    "specex_fits_free": (None, _file),
    "specex_fits_get_image": (_status, _file, _P(specex_image)),
    "specex_fits_get_psf": (_status, _file, _P(specex_psf)),
    "specex_fits_get_frame": (_status, _file, _P(specex_frame)),
    "specex_fits_get_key": (_status, _file, c_char_p, c_char_p, c_int64),
    "specex_fits_write_frame": (
        _status, _context, c_char_p, _P(specex_frame), _P(specex_fits_output)
    ),
    "specex_fits_write_image": (
        _status, _context, c_char_p, _P(specex_image), c_void_p, _P(specex_fits_output)
    ),
    "specex_fits_write_psf": (
        _status, _context, c_char_p, _P(specex_psf), _P(specex_fits_output)
    ),
}


def _path() -> str:
    """The file that LIBSPECEX_LIBRARY names, the wheel's own, or the system's."""
    own = Path(__file__).parent / "lib" / "libspecex_wheel.so"
    return os.environ.get("LIBSPECEX_LIBRARY") or str(own if own.exists() else SONAME)


def _load() -> CDLL:
    try:
        library = CDLL(_path())  # which lets other threads run while a function does
    except OSError as error:
        raise ImportError(
            f"libspecex's shared library cannot be loaded: {error}. Install it, or name "
            "its file in the environment variable LIBSPECEX_LIBRARY."
        ) from None
    for name, (result, *arguments) in FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


library = _load()
