# SPDX-License-Identifier: BSD-3-Clause
import gc
import tempfile
import unittest
from pathlib import Path

import libspecex
import numpy as np
from libspecex import Frame
from libspecex._library import library
from small_case import GRID, IMAGE, NSPEC, PIXELS, same, small_context, small_psf

UNSUPPORTED = libspecex.Status.ERROR_UNSUPPORTED
HAS_FILES = library.specex_fits_get_image(None, None) != UNSUPPORTED


def make_fibermap(path):
    """The least that is a FIBERMAP: a table of one column."""

    def header(**keys):
        cards = [f"{key:8}= {value:>20}" for key, value in keys.items()] + ["END"]
        return "".join(f"{card:80}" for card in cards).ljust(2880).encode()

    empty = header(SIMPLE="T", BITPIX=8, NAXIS=0)
    table = header(XTENSION="'BINTABLE'", BITPIX=8, NAXIS=2, NAXIS1=8, NAXIS2=NSPEC,
                   PCOUNT=0, GCOUNT=1, TFIELDS=1, TTYPE1="'FIBER   '",
                   TFORM1="'K       '", EXTNAME="'FIBERMAP'")
    path.write_bytes(empty + table + bytes(2880))


@unittest.skipUnless(HAS_FILES, "the library was built without FITS files")
class Fits(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.context = small_context()

    def test_image(self):
        path = self.folder / "image.fits"
        mask = np.zeros(PIXELS.shape, ">i2")
        mask[6, 4] = 1
        cards = {"CAMERA": "r0", "EXPTIME": (900.5, "seconds"), "NIGHT": np.int16(21),
                 "GOOD": True}
        libspecex.write_image(path, IMAGE, mask=mask, cards=cards, float64=True)
        image = libspecex.read_image(path, context=self.context)
        np.testing.assert_array_equal(image.pixels, PIXELS)
        self.assertEqual((image.ivar[6, 4], image.ivar[4, 6]), (0, 0.04))
        self.assertEqual(libspecex.read_image(path, badmask=0).ivar[6, 4], 0.04)
        keys = [image.file[key] for key in ("CAMERA", "NIGHT", "GOOD")]
        self.assertEqual(keys, ["r0", "21", "T"])
        self.assertEqual(float(image.file["EXPTIME"]), 900.5)
        with self.assertRaisesRegex(KeyError, "ABSENT"):
            image.file["ABSENT"]
        with self.assertRaisesRegex(ValueError, "mask"):
            libspecex.write_image(path, IMAGE, mask=mask[1:])
        with self.assertRaisesRegex(libspecex.ArgumentError, "badmask"):
            libspecex.read_image(path, badmask=-1)

        # Pixels are in the file's memory, which lives as long as they do.
        pixels, first = image.pixels, image.pixels[0]
        self.assertFalse(pixels.flags.owndata)
        del image
        gc.collect()
        np.testing.assert_array_equal(pixels, PIXELS)
        np.testing.assert_array_equal(first, PIXELS[0])

    def test_psf(self):
        path = self.folder / "psf.fits"
        libspecex.write_psf(path, small_psf(), context=self.context)
        psf = libspecex.read_psf(path)
        np.testing.assert_array_equal(psf.xtrace, small_psf().xtrace)
        self.assertLessEqual(set(small_psf().param_names), set(psf.param_names))
        self.assertEqual(psf.psferr, 0.02)
        frame = small_context().set_psf(psf).extract_frame(IMAGE, GRID)
        self.assertTrue(same(frame, self.context.extract_frame(IMAGE, GRID)))

    def test_frame(self):
        image_path, path = self.folder / "image.fits", self.folder / "frame.fits"
        libspecex.write_image(image_path, IMAGE, cards={"CAMERA": "r0"})
        image = libspecex.read_image(image_path)
        frame = self.context.extract_frame(image, GRID, range(1, 4))
        cards = {"GAIN": (1.5, "of the amplifier")}
        libspecex.write_frame(
            path, frame, input=image.file, cards=cards, float64=True, scores=True
        )
        read = libspecex.read_frame(path)
        self.assertTrue(same(read, frame))
        self.assertEqual((read.file["CAMERA"], read.file["GAIN"]), ("r0", "1.5"))

        spectra = Frame(frame.wavelength, frame.flux.tolist(), frame.ivar)
        libspecex.write_frame(path, spectra, float64=True)
        read = libspecex.read_frame(path)
        self.assertIsNone(read.resolution_data)
        np.testing.assert_array_equal(read.flux, frame.flux)
        with self.assertRaisesRegex(ValueError, "wavelength"):
            Frame(np.arange(3), frame.flux)

    def test_fibermap(self):
        source, path = self.folder / "fibermap.fits", self.folder / "frame.fits"
        make_fibermap(source)
        frame = self.context.extract_frame(IMAGE, GRID)
        libspecex.write_frame(path, frame, fibermap=libspecex.read_fibermap(source))
        self.assertEqual(libspecex.read_fibermap(path)["SIMPLE"], "T")
        libspecex.write_frame(path, frame)
        with self.assertRaisesRegex(libspecex.FormatError, "FIBERMAP"):
            libspecex.read_fibermap(path)

    def test_failures(self):
        absent, nowhere = self.folder / "absent.fits", self.folder / "no/folder.fits"
        for read in (libspecex.read_image, libspecex.read_psf, libspecex.read_frame,
                     libspecex.read_fibermap):
            with self.assertRaisesRegex(OSError, "absent"):
                read(absent)
            with self.assertRaisesRegex(ValueError, "NUL"):
                read("a\0b")
        frame = self.context.extract_frame(IMAGE, GRID)
        for write, what in ((libspecex.write_frame, frame),
                            (libspecex.write_image, IMAGE),
                            (libspecex.write_psf, small_psf())):
            with self.assertRaisesRegex(libspecex.FileError, "folder"):
                write(nowhere, what)
            with self.assertRaisesRegex(libspecex.ArgumentError, r"cards\[0\]"):
                write(self.folder / "bad.fits", what, cards={"lower": 1})
        libspecex.write_psf(absent, small_psf())
        file = libspecex.read_psf(absent).file
        for get in (library.specex_fits_get_image, library.specex_fits_get_frame):
            self.assertEqual(get(file._handle, None), libspecex.Status.ERROR_ARGUMENT)
        self.assertEqual(
            library.specex_fits_get_psf(None, None), libspecex.Status.ERROR_ARGUMENT
        )
        self.assertIsNone(library.specex_fits_free(None))  # which cannot fail
