# SPDX-License-Identifier: BSD-3-Clause
"""The constants of specex.h and fits.h: SPECEX_MASK_NODATA is Mask.NODATA."""

from __future__ import annotations

from enum import IntEnum, IntFlag


class Status(IntEnum):
    """How a call, or a patch, ended. Only `OK` and `PARTIAL` are no exceptions."""

    OK = 0
    PARTIAL = 1
    ERROR_ARGUMENT = 10
    ERROR_VERSION = 11
    ERROR_STATE = 12
    ERROR_BUSY = 13
    ERROR_HANDLE = 14
    ERROR_FORKED = 15
    ERROR_UNSUPPORTED = 16
    ERROR_DATA = 20
    ERROR_PSF = 21
    ERROR_RANGE = 22
    ERROR_NUMERIC = 30
    ERROR_MEMORY = 40
    ERROR_NO_DEVICE = 50
    ERROR_DEVICE = 51
    ERROR_IO = 60
    ERROR_FORMAT = 61
    ERROR_LIMIT = 62
    ERROR_CHECKSUM = 63
    CANCELLED = 70
    ERROR_INTERNAL = 90


class Backend(IntEnum):
    """What computes."""

    AUTO = 0
    CPU = 1
    CUDA = 2
    REFERENCE = 3


class Compat(IntEnum):
    """Whose rules hold."""

    NONE = 0
    GPU_SPECTER = 1


class Decorrelate(IntEnum):
    """Whether the signal of neighbouring fibres, or their noise, is kept apart."""

    SIGNAL = 0
    NOISE = 1


class Log(IntEnum):
    """Levels of messages, which are those of Python's `logging`."""

    DEBUG = 10
    INFO = 20
    WARNING = 30
    ERROR = 40


class PsfKind(IntEnum):
    """Kinds of PSF."""

    GAUSS_HERMITE = 1


class PixelType(IntEnum):
    """Types of pixels."""

    FLOAT32 = 1
    FLOAT64 = 2


class Memory(IntEnum):
    """Where arrays are: in that of the processor, or of a GPU."""

    HOST = 0
    DEVICE = 1


class Mask(IntFlag):
    """Bits of a frame's mask."""

    SOMEBADPIX = 1
    ALLBADPIX = 2
    BAD2DFIT = 128
    NODATA = 256
    BADFIBER = 512


class Path(IntEnum):
    """How a patch was solved. COUNT is how many numbers are set aside."""

    NONE = 0
    DENSE = 1
    BANDED = 2
    VECTOR = 3
    COUNT = 8


class Stage(IntEnum):
    """Where the time of an extraction goes."""

    FRAME = 0
    PIXELS = 1
    SPOTS = 2
    BLOCKS = 3
    GATHER = 4
    ELIMINATION = 5
    FLUX = 6
    ROOT = 7
    MODEL = 8
    FINISH = 9
    FALLBACK = 10


class CardType(IntEnum):
    """Types of header keys."""

    TEXT = 1
    INTEGER = 2
    REAL = 3
    LOGICAL = 4


NSTAGE = 11
BADMASK_DEFAULT = 767
