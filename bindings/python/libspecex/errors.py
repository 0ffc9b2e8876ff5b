# SPDX-License-Identifier: BSD-3-Clause
"""An exception for every status that is an error."""

from __future__ import annotations

from typing import Any

from ._library import library
from .constants import Status


class SpecexError(Exception):
    """A call of the library failed; `str(error)` is one sentence on what was wrong."""

    status: Status

    def __reduce__(self) -> Any:  # OSError's own does not fit its subclass
        return type(self), (str(self),)


class ArgumentError(SpecexError, ValueError):
    """An argument is out of its documented range."""

    status = Status.ERROR_ARGUMENT


class VersionError(SpecexError):
    """A struct has an unknown size or sets unknown fields."""

    status = Status.ERROR_VERSION


class StateError(SpecexError, RuntimeError):
    """Called in the wrong order, for example extraction before `set_psf`."""

    status = Status.ERROR_STATE


class BusyError(SpecexError, RuntimeError):
    """Another thread is inside this context."""

    status = Status.ERROR_BUSY


class HandleError(SpecexError, ValueError):
    """Not a live handle."""

    status = Status.ERROR_HANDLE


class ForkedError(SpecexError, RuntimeError):
    """The context was made before a fork."""

    status = Status.ERROR_FORKED


class UnsupportedError(SpecexError, NotImplementedError):
    """This build, or this kind of PSF, cannot do it."""

    status = Status.ERROR_UNSUPPORTED


class DataError(SpecexError, ValueError):
    """Strict mode: an input pixel is not usable."""

    status = Status.ERROR_DATA


class PsfError(SpecexError, ValueError):
    """The PSF is incomplete or not finite."""

    status = Status.ERROR_PSF


class RangeError(SpecexError, ValueError):
    """The wavelengths or fibres asked for are outside the PSF."""

    status = Status.ERROR_RANGE


class NumericError(SpecexError, ArithmeticError):
    """A patch has no finite solution."""

    status = Status.ERROR_NUMERIC


class OutOfMemoryError(SpecexError, MemoryError):
    """An allocation or a thread was refused."""

    status = Status.ERROR_MEMORY


class NoDeviceError(SpecexError, RuntimeError):
    """There is no GPU, driver or CUDA library."""

    status = Status.ERROR_NO_DEVICE


class DeviceError(SpecexError, RuntimeError):
    """The GPU failed."""

    status = Status.ERROR_DEVICE


class FileError(SpecexError, OSError):
    """A file could not be opened, read, written, synced or renamed."""

    status = Status.ERROR_IO


class FormatError(SpecexError, ValueError):
    """Not a FITS file, or not the kind expected."""

    status = Status.ERROR_FORMAT


class LimitError(SpecexError, ValueError):
    """The file announces more than the stated limits."""

    status = Status.ERROR_LIMIT


class ChecksumError(SpecexError, ValueError):
    """The file's checksum does not match its data."""

    status = Status.ERROR_CHECKSUM


class Cancelled(SpecexError):
    """The progress callback asked to stop."""

    status = Status.CANCELLED


class InternalError(SpecexError):
    """A bug in the library."""

    status = Status.ERROR_INTERNAL


_ERRORS: dict[int, type[SpecexError]] = {
    error.status: error for error in SpecexError.__subclasses__()
}

# These are about the handle itself, whose own message is that of an earlier call.
_OF_HANDLE = (Status.ERROR_BUSY, Status.ERROR_HANDLE, Status.ERROR_FORKED)


def check(status: int, context: Any = None) -> Status:
    """Raises what a status stands for, in the thread whose call returned it.

    That some patches failed (`PARTIAL`) is told by the results, not by an exception.
    """
    if status in (Status.OK, Status.PARTIAL):
        return Status(status)
    message = library.specex_last_error(None if status in _OF_HANDLE else context)
    raise _ERRORS.get(status, SpecexError)(message.decode(errors="replace"))


def status_name(status: int) -> str:
    """The name of a status in C, such as `SPECEX_ERROR_RANGE`."""
    return library.specex_status_name(status).decode()


def status_text(status: int) -> str:
    """What a status means."""
    return library.specex_status_text(status).decode()
