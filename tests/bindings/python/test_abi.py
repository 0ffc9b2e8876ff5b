# SPDX-License-Identifier: BSD-3-Clause
"""What the package mirrors of the C headers is what the manifest says, all of it."""

import ctypes
import os
import unittest
from enum import Enum

from libspecex import _library, _structs, constants

KINDS = {
    "int32_t": ctypes.c_int32,
    "int64_t": ctypes.c_int64,
    "double": ctypes.c_double,
}
PREFIXES = {
    "BACKEND": constants.Backend,
    "COMPAT": constants.Compat,
    "DECORRELATE": constants.Decorrelate,
    "LOG": constants.Log,
    "PSF": constants.PsfKind,
    "MEMORY": constants.Memory,
    "MASK": constants.Mask,
    "PATH": constants.Path,
    "STAGE": constants.Stage,
    "CARD": constants.CardType,
}


def manifest(kind):
    with open(os.environ["SPECEX_ABI_MANIFEST"], encoding="ascii") as lines:
        rows = [line.split() for line in lines]
    return [row[1:] for row in rows if row[0] == kind]


def mirror(name):
    """Where the package has the constant that C calls SPECEX_name."""
    head, _, rest = name.partition("_")
    if head in PREFIXES:
        return PREFIXES[head], rest
    for enum in (constants.Status, constants.PixelType):
        if name in enum.__members__:
            return enum, name
    return constants, name


def matches(field_type, text):
    if text == "pointer":
        return issubclass(
            field_type, (ctypes.c_void_p, ctypes.c_char_p, ctypes._Pointer)
        )
    return getattr(field_type, "_type_", None) in (
        KINDS[text],
        KINDS[text]._type_,
    )


class Abi(unittest.TestCase):
    def test_symbols(self):
        names = {name for (name,) in manifest("symbol")}
        self.assertEqual(names, set(_library.FUNCTIONS))

    def test_values(self):
        mirrored = {}
        for name, value in manifest("value"):
            place, own = mirror(name[len("SPECEX_") :])
            self.assertEqual(getattr(place, own), int(value), name)
            mirrored.setdefault(place, set()).add(own)
        for place, names in mirrored.items():
            if place is constants:
                own = {name for name in vars(constants) if name.isupper()}
            else:
                own = set(place.__members__)
            self.assertEqual(names, own)
        enums = {
            value
            for value in vars(constants).values()
            if isinstance(value, type) and issubclass(value, Enum) and list(value)
        }
        self.assertEqual(enums, set(mirrored) - {constants})

    def test_structs(self):
        fields = {}
        for struct, name, offset, size, kind in manifest("field"):
            mirrored = getattr(_structs, struct)
            member = getattr(mirrored, name)
            self.assertEqual((member.offset, member.size), (int(offset), int(size)), name)
            self.assertTrue(matches(dict(mirrored._fields_)[name], kind), name)
            fields.setdefault(struct, []).append(name)
        sizes = {struct: int(size) for struct, size in manifest("size")}
        self.assertEqual(set(fields), set(sizes))
        for struct, size in sizes.items():
            mirrored = getattr(_structs, struct)
            self.assertEqual(ctypes.sizeof(mirrored), size, struct)
            self.assertEqual([name for name, _ in mirrored._fields_], fields[struct])
        self.assertEqual(
            set(sizes), {name for name in vars(_structs) if name.startswith("specex_")}
        )
