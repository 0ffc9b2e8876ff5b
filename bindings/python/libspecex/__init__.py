# SPDX-License-Identifier: BSD-3-Clause
"""Spectroperfectionism extraction of fibre spectra from CCD images.

    context = Context().set_psf(read_psf("psf.fits"))
    frame = context.extract_frame(image, Grid.from_range(6000, 6200, 0.8), range(25))

Fibres, bins and pixels are numbered from 0; images are `[ny, nx]`, spectra
`[nspec, nwave]`. Wavelengths are in Angstrom, fluxes in electrons per Angstrom.
"""

from .constants import (
    BADMASK_DEFAULT,
    Backend,
    CardType,
    Compat,
    Decorrelate,
    Log,
    Mask,
    Memory,
    Path,
    PixelType,
    PsfKind,
    Stage,
    Status,
)
from .context import Context, stage_name, version
from .errors import (
    ArgumentError,
    BusyError,
    Cancelled,
    ChecksumError,
    DataError,
    DeviceError,
    FileError,
    ForkedError,
    FormatError,
    HandleError,
    InternalError,
    LimitError,
    NoDeviceError,
    NumericError,
    OutOfMemoryError,
    PsfError,
    RangeError,
    SpecexError,
    StateError,
    UnsupportedError,
    VersionError,
    status_name,
    status_text,
)
from .fits import (
    FitsFile,
    read_fibermap,
    read_frame,
    read_image,
    read_psf,
    write_frame,
    write_image,
    write_psf,
)
from .frame import Frame
from .grid import Grid
from .image import Image
from .patches import Patch, PatchResult
from .psf import Psf, PsfInfo

__all__ = [
    "ArgumentError",
    "BADMASK_DEFAULT",
    "Backend",
    "BusyError",
    "Cancelled",
    "CardType",
    "ChecksumError",
    "Compat",
    "Context",
    "DataError",
    "Decorrelate",
    "DeviceError",
    "FileError",
    "FitsFile",
    "ForkedError",
    "FormatError",
    "Frame",
    "Grid",
    "HandleError",
    "Image",
    "InternalError",
    "LimitError",
    "Log",
    "Mask",
    "Memory",
    "NoDeviceError",
    "NumericError",
    "OutOfMemoryError",
    "Patch",
    "PatchResult",
    "Path",
    "PixelType",
    "Psf",
    "PsfError",
    "PsfInfo",
    "PsfKind",
    "RangeError",
    "SpecexError",
    "Stage",
    "StateError",
    "Status",
    "UnsupportedError",
    "VersionError",
    "read_fibermap",
    "read_frame",
    "read_image",
    "read_psf",
    "stage_name",
    "status_name",
    "status_text",
    "version",
    "write_frame",
    "write_image",
    "write_psf",
]
