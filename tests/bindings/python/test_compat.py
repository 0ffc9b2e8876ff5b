# SPDX-License-Identifier: BSD-3-Clause
"""The drop-ins give what the functions give whose place they take."""

import os
import tempfile
import threading
import unittest
from pathlib import Path

import libspecex
import numpy as np
from libspecex import compat
from small_case import (
    GRID,
    IMAGE,
    IVAR,
    NSPEC,
    NX,
    NY,
    PIXELS,
    broken_image,
    has_gpu,
    small_context,
    small_psf,
)
from test_fits import HAS_FILES

REFERENCES = Path(os.environ.get("SPECEX_REFERENCE_DIR", "/nowhere"))
KEYS = ["specflux", "specivar", "specmask", "wave", "Rdiags", "pixmask_fraction",
        "chi2pix", "modelimage"]
MOMENTS = ["init-mpi-comm", "init-mpi-bcast", "host-to-device", "extracted-bundles",
           "staged-bundles", "merged-bundles", "assembled-frame"]
IMG = {"image": PIXELS, "ivar": IVAR}


class Table(dict):
    """As much of an astropy table as the drop-in looks at."""

    def __init__(self, columns, **meta):
        super().__init__(columns)
        self.meta = meta


def tables(psf):
    """A PSF as gpu_specter's read_psf gives it."""

    def meta(wave_range):
        return dict(zip(("WAVEMIN", "WAVEMAX"), wave_range))

    names = np.array([f"{name:8}".encode() for name in psf.param_names])
    return {
        "XTRACE": Table({"X": psf.xtrace.astype(">f8")}, **meta(psf.xtrace_range)),
        "YTRACE": Table({"Y": psf.ytrace}, **meta(psf.ytrace_range)),
        "PSF": Table(
            {"PARAM": names, "COEFF": psf.params}, **meta(psf.param_range),
            HSIZEX=psf.hsizex, HSIZEY=psf.hsizey, GHDEGX=psf.ghdegx, GHDEGY=psf.ghdegy,
            PSFERR=psf.psferr,
        ),
    }


class Series:
    """As much of specter's TraceSet as the drop-in looks at."""

    def __init__(self, coeff, domain):
        self._coeff, (self._xmin, self._xmax) = coeff, domain


class SpecterPsf:
    """And of its GaussHermitePSF."""

    def __init__(self, psf):
        self._x = Series(psf.xtrace, psf.xtrace_range)
        self._y = Series(psf.ytrace, psf.ytrace_range)
        self.coeff = {
            name: Series(coeff, psf.param_range)
            for name, coeff in zip(psf.param_names, psf.params)
        }
        self._polyparams = tables(psf)["PSF"].meta
        self.npix_x, self.npix_y, self.psferr = psf.nx, psf.ny, psf.psferr


class Rank:
    """A rank of an MPI communicator of threads."""

    def __init__(self, rank, size, barrier, shared):
        self.rank, self.size, self.barrier, self.shared = rank, size, barrier, shared

    def everybodys(self, value):
        self.shared[self.rank] = value
        self.barrier.wait(60)
        values = list(self.shared)
        self.barrier.wait(60)
        return values

    def gather(self, value, root):
        values = self.everybodys(value)
        return values if self.rank == root else None

    def bcast(self, value, root):
        return self.everybodys(value)[root]


def small_frame(psf=None, img=IMG, specmin=0, nspec=NSPEC, **options):
    options = {"wavelength": "6000,6029,1", "nwavestep": 10, **options}
    return compat.extract_frame(img, psf or small_psf(), 3, specmin, nspec, **options)


def equal(one, other):
    return all(np.array_equal(one[key], other[key]) for key in KEYS)


class ExtractFrame(unittest.TestCase):
    def test_the_dictionary(self):
        timing = {}
        frame = small_frame(model=True, timing=timing, loglevel="warning")
        self.assertEqual(list(frame), KEYS)
        self.assertEqual(frame["Rdiags"].shape, (NSPEC, 9, 30))
        self.assertEqual(frame["modelimage"].shape, (NY, NX))
        self.assertEqual(frame["specmask"].dtype, int)
        self.assertEqual(list(timing), MOMENTS)
        self.assertEqual(sorted(timing.values()), list(timing.values()))
        self.assertIsNone(small_frame()["modelimage"])

        context = small_context(compat="gpu_specter", psferr=0.3)
        own = context.extract_frame(IMAGE, GRID)
        frame = small_frame(psferr=0.3)
        np.testing.assert_array_equal(frame["specflux"], own.flux)
        np.testing.assert_array_equal(frame["chi2pix"], own.chi2pix)
        self.assertFalse(np.array_equal(own.chi2pix, small_frame()["chi2pix"]))

        off_image = small_frame(img={"image": PIXELS[30:], "ivar": IVAR[30:]},
                                psf=tables(small_psf()))
        lost = off_image["specivar"] == 0
        self.assertTrue(lost.any())
        np.testing.assert_array_equal(off_image["specmask"], lost)

    def test_wavelengths(self):
        frame = small_frame()
        self.assertTrue(equal(frame, small_frame(wavelength=(6000, 6029, 1))))
        self.assertTrue(equal(frame, small_frame(wavelength=GRID.wavelength)))
        wave = small_frame(wavelength=None, nspec=3)["wave"]
        self.assertEqual((wave[0], len(wave)), (5975, 101))
        with self.assertRaisesRegex(ValueError, "evenly"):
            small_frame(wavelength=np.array([6000.0, 6001, 6003]))

    def test_psfs(self):
        frame = small_frame()
        self.assertTrue(equal(frame, small_frame(tables(small_psf()))))
        if HAS_FILES:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder, "psf.fits")
                libspecex.write_psf(path, small_psf())
                self.assertTrue(equal(frame, small_frame(path)))

    def test_bundles_are_whole_and_counted_from_specmin(self):
        frame = small_frame(specmin=2, nspec=2)
        bundle = small_psf().fibers(range(2, 5))
        own = small_context(compat="gpu_specter").set_psf(bundle)
        flux = own.extract_frame(IMAGE, GRID).flux
        np.testing.assert_array_equal(frame["specflux"], flux)
        with self.assertRaisesRegex(ValueError, "6 fibres"):
            small_frame(specmin=2, nspec=4)

    def test_ranks(self):
        expected = small_frame(model=True)
        for size in (2, 3):  # 3: more than there are bundles
            barrier, shared, frames = threading.Barrier(size), [None] * size, {}

            def work(rank):
                given = (IMG, small_psf()) if rank == 0 else (None, "")
                frames[rank] = small_frame(
                    given[1], given[0], model=True, comm=Rank(rank, size, barrier, shared)
                )

            ranks = [threading.Thread(target=work, args=(k,)) for k in range(size)]
            for rank in ranks:
                rank.start()
            for rank in ranks:
                rank.join()
            self.assertEqual([frames[k] for k in range(1, size)], [None] * (size - 1))
            np.testing.assert_allclose(frames[0]["modelimage"], expected["modelimage"])
            frames[0]["modelimage"] = expected["modelimage"]
            self.assertTrue(equal(frames[0], expected))

    @unittest.skipIf(has_gpu(), "there is a GPU")
    def test_a_missing_gpu_is_said(self):
        with self.assertRaises(libspecex.NoDeviceError):
            small_frame(gpu=True)

    def test_messages_are_logged(self):
        broken = broken_image()
        with self.assertLogs("libspecex", "WARNING"):
            small_frame(img={"image": broken.pixels, "ivar": broken.ivar})

    @unittest.skipUnless(REFERENCES.is_dir() and HAS_FILES, "no reference frames")
    def test_references(self):
        paths = sorted(REFERENCES.glob("*-reference.fits"))
        self.assertTrue(paths)
        for path in paths:
            def file(kind):
                return str(path).replace("-reference", f"-{kind}")

            with self.subTest(path.name):
                expected = libspecex.read_frame(path)
                image = libspecex.read_image(file("preproc"), badmask=0xFFFFFFFF)
                option = expected.file
                frame = compat.extract_frame(
                    {"image": image.pixels, "ivar": image.ivar},
                    tables(libspecex.read_psf(file("psf"))),
                    int(option["OPT_BUN"]),
                    0,
                    int(option["OPT_N"]),
                    option["OPT_W"],
                    int(option["OPT_NWS"]),
                    int(option["OPT_SUB"]),
                    model=True,
                )
                self.compare(frame, expected)

    def compare(self, frame, expected):
        self.assertEqual(list(frame), KEYS)
        np.testing.assert_allclose(frame["wave"], expected.wavelength, rtol=1e-14)
        np.testing.assert_array_equal(frame["specmask"], expected.ivar == 0)
        good = expected.pixmask_fraction < 0.5
        pull = (frame["specflux"] - expected.flux) * np.sqrt(expected.ivar)
        self.assertLess(abs(pull[good]).max(), 2e-6)
        ivar = frame["specivar"][good]
        np.testing.assert_allclose(ivar, expected.ivar[good], rtol=5e-6)
        for key, array, bound in (
            ("Rdiags", expected.resolution_data, 1e-6),
            ("pixmask_fraction", expected.pixmask_fraction, 1e-9),
            ("modelimage", expected.model, 2e-3),
        ):
            np.testing.assert_allclose(frame[key], array, atol=bound, rtol=0, err_msg=key)
        chi2pix = abs(frame["chi2pix"] - expected.chi2pix)[good]
        self.assertLess(chi2pix.max(), 2e-6)


class Ex2d(unittest.TestCase):
    def test_what_it_gives(self):
        flux, ivar, resolution = compat.ex2d(
            PIXELS, IVAR, small_psf(), 0, NSPEC, GRID.wavelength, bundlesize=3,
            wavesize=10,
        )
        frame = small_context(wavepad_frac=0.2).extract_frame(IMAGE, GRID)
        np.testing.assert_array_equal(flux, frame.flux)
        np.testing.assert_array_equal(ivar, frame.ivar)
        np.testing.assert_array_equal(resolution, frame.resolution_data)

        full = compat.ex2d(
            PIXELS, IVAR, SpecterPsf(small_psf()), 0, NSPEC, GRID.wavelength,
            bundlesize=3, wavesize=10, full_output=True, psferr=0.1, verbose=True, debug=True,
        )
        keys = "flux ivar resolution_data modelimage pixmask_fraction chi2pix".split()
        self.assertEqual(list(full), keys)
        self.assertEqual(full["modelimage"].shape, (NY, NX))
        np.testing.assert_array_equal(full["flux"], flux)
        self.assertTrue((full["chi2pix"] < frame.chi2pix).any())
        with self.assertRaisesRegex(TypeError, "not float"):
            compat.ex2d(PIXELS, IVAR, 1.0, 0, NSPEC, GRID.wavelength)

    def test_wide_bins_need_fewer_diagonals(self):
        wave = np.arange(6000, 6029, 3.0)
        *_, resolution = compat.ex2d(PIXELS, IVAR, small_psf(), 0, NSPEC, wave)
        # 9 sigma of 1.05 pixels of 0.7 Angstrom are 2.2 bins of 3 Angstrom.
        self.assertEqual(resolution.shape, (NSPEC, 5, len(wave)))
        middle = resolution[:, 2]
        self.assertTrue((middle[:, None] >= resolution).all())

    def test_bundles_are_counted_from_specmin(self):
        flux, *_ = compat.ex2d(
            PIXELS, IVAR, small_psf(), 2, 4, GRID.wavelength, bundlesize=3, nsubbundles=3
        )
        self.assertEqual(flux.shape, (4, GRID.nwave))
        alone, *_ = compat.ex2d(PIXELS, IVAR, small_psf(), 5, 1, GRID.wavelength)
        np.testing.assert_allclose(flux[3], alone[0], rtol=1e-9)

    def test_a_cut_out(self):
        whole = compat.ex2d(PIXELS, IVAR, small_psf(), 0, NSPEC, GRID.wavelength)
        cut = np.s_[2:-1, 1:-2]
        part = compat.ex2d(
            PIXELS[cut], IVAR[cut], small_psf(), 0, NSPEC, GRID.wavelength,
            xyrange=[1, NX - 2, 2, NY - 1],
        )
        for one, other in zip(whole, part):
            np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-6)

    def test_noise(self):
        flux, *_ = compat.ex2d(
            PIXELS, IVAR, small_psf(), 0, NSPEC, GRID.wavelength, ndecorr=True
        )
        signal, *_ = compat.ex2d(PIXELS, IVAR, small_psf(), 0, NSPEC, GRID.wavelength)
        self.assertFalse(np.array_equal(flux, signal))
        np.testing.assert_allclose(flux, signal, rtol=0.05)

    def test_uneven_wavelengths_are_refused(self):
        with self.assertRaisesRegex(ValueError, "evenly"):
            compat.ex2d(PIXELS, IVAR, small_psf(), 0, 1, [6000, 6001, 6003])
