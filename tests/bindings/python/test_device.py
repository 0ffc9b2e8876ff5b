# SPDX-License-Identifier: BSD-3-Clause
"""Arrays on a GPU: what is refused on the way, and what the library says without one.

What it makes of them is in device_cases.py, for the library that LIBSPECEX_EMULATED
names.
"""

import os
import subprocess
import sys
import unittest
from pathlib import Path
from unittest import mock

import libspecex
import numpy as np
from libspecex import Frame, Image, UnsupportedError, _device
from libspecex.compat import extract_frame
from small_case import FIBERS, GRID, IMAGE, IVAR, NX, NY, PIXELS, small_context, small_psf
from stand_in import Dlpack, installed, ndarray

ON_GPU = Image(ndarray(PIXELS), ndarray(IVAR))


class Refusals(unittest.TestCase):
    def test_the_library_says_what_the_cpu_cannot(self):
        context = small_context(backend="cpu")
        flux = ndarray(np.empty((len(FIBERS), GRID.nwave)))
        for cupy in (True, False):
            with installed(cupy):
                for call in (
                    lambda: context.extract_frame(ON_GPU, GRID),
                    lambda: context.extract_frame(IMAGE, GRID, out={"flux": flux}),
                    lambda: context.extract_patches(ON_GPU, context.plan(GRID, FIBERS)),
                ):
                    with self.assertRaisesRegex(UnsupportedError, "this one has cpu"):
                        call()

    def test_files_take_host_memory(self):
        frame = Frame(wavelength=None, flux=ndarray(np.ones((1, 2))))
        for write in (
            lambda: libspecex.write_frame("unwritten.fits", frame),
            lambda: libspecex.write_image("unwritten.fits", ON_GPU),
        ):
            with self.assertRaises((libspecex.ArgumentError, UnsupportedError)):
                write()
        self.assertFalse(os.path.exists("unwritten.fits"))

    def test_compat(self):
        img = {"image": ON_GPU.pixels, "ivar": ON_GPU.ivar}
        with self.assertRaises(UnsupportedError):
            extract_frame(img, small_psf(), 3, 0, 3, GRID.wavelength)

    def test_what_would_have_to_be_converted(self):
        for pixels, ivar in (
            (PIXELS.astype("i4"), IVAR),
            (PIXELS.astype(">f8"), IVAR),
            (PIXELS.astype("f4"), IVAR),
            (np.asfortranarray(PIXELS), IVAR),
            (PIXELS[:, ::-1], IVAR),
            (PIXELS[::-1], IVAR),
        ):
            with self.assertRaisesRegex(TypeError, "has to be float"):
                Image(ndarray(pixels), ndarray(ivar))
        for pixels, ivar in ((ON_GPU.pixels, IVAR), (PIXELS, ON_GPU.ivar)):
            with self.assertRaisesRegex(TypeError, "is not on a GPU"):
                Image(pixels, ivar)
        with self.assertRaisesRegex(ValueError, "ivar has shape"):
            Image(ON_GPU.pixels, ndarray(np.ones((2, 2))))
        with self.assertRaisesRegex(TypeError, "mask"):
            Image(ndarray(PIXELS, mask=ndarray(IVAR)))

    def test_results(self):
        context = small_context()
        shape = (len(FIBERS), GRID.nwave)

        def refused(error, sentence, **out):
            with self.assertRaisesRegex(error, sentence):
                context.extract_frame(IMAGE, GRID, out=out)

        flux = np.zeros(shape)
        constant = np.empty(shape)
        constant.flags.writeable = False
        refused(TypeError, "out has flux", ivar=flux)
        refused(TypeError, "out has flux", flux=flux, fluxes=flux)
        refused(TypeError, "flux of out", flux=flux.astype("f4"))
        refused(TypeError, "ivar of out", flux=flux, ivar=constant)
        refused(TypeError, "lies on a GPU", flux=flux, ivar=ndarray(flux))
        refused(TypeError, "is not on a GPU", flux=ndarray(flux), ivar=flux)
        refused(TypeError, "C-contiguous", flux=ndarray(flux.astype("f4")))
        refused(TypeError, "C-contiguous", flux=ndarray(np.asfortranarray(flux)))
        refused(TypeError, "writable", flux=ndarray(constant))
        refused(ValueError, "ivar has shape", flux=flux, ivar=np.empty((1, 2)))
        refused(libspecex.ArgumentError, "nwave", flux=np.empty((len(FIBERS), 3)))

    def test_dlpack_takes_cupy(self):
        with installed(False), self.assertRaisesRegex(TypeError, "takes CuPy"):
            Image(Dlpack(PIXELS), Dlpack(IVAR))
        with installed():
            image = Image(Dlpack(PIXELS), Dlpack(IVAR))
        self.assertEqual(image._struct().pixels, PIXELS.ctypes.data)


class Layout(unittest.TestCase):
    def test_nothing_is_copied(self):
        padded = np.zeros((NY, NX + 3), "f4")
        image = Image(ndarray(padded[:, 2:-1]), ndarray(IVAR.astype("f4")))
        struct = image._struct()
        self.assertEqual(struct.memory, libspecex.Memory.DEVICE)
        self.assertEqual(struct.type, libspecex.PixelType.FLOAT32)
        self.assertEqual((struct.nx, struct.ny), (NX, NY))
        self.assertEqual(struct.pixels, padded[:, 2:].ctypes.data)
        self.assertEqual((struct.pixels_stride, struct.ivar_stride), (NX + 3, NX))
        self.assertEqual(IMAGE._struct().memory, libspecex.Memory.HOST)

    def test_streams_are_waited_for_at_the_call(self):
        """None is ready; version 2 does not tell, which is taken for the default one."""
        pixels, ivar = ndarray(PIXELS, stream=7), ndarray(IVAR)
        image = Image(pixels, ivar)
        with mock.patch.object(_device, "_synchronize") as synchronize:
            image._struct()
            where = PIXELS.ctypes.data
            self.assertEqual(synchronize.mock_calls, [mock.call(7, where)])
            synchronize.reset_mock()
            pixels.told = {"stream": None}
            ivar.told = {"stream": 2}
            image._struct()
            self.assertEqual(synchronize.mock_calls, [mock.call(2, IVAR.ctypes.data)])
            synchronize.reset_mock()
            older = ON_GPU.pixels.__cuda_array_interface__
            del older["stream"]
            with mock.patch.object(
                ndarray, "__cuda_array_interface__", {**older, "version": 2}
            ):
                ON_GPU._struct()
            self.assertEqual(synchronize.mock_calls, [mock.call(1, where)] * 2)

    def test_a_stream_that_failed_is_said(self):
        """And the context of its GPU is left as it was."""
        called = []

        def driver(function, *_):
            called.append(function)
            if function == "cuStreamSynchronize":
                raise libspecex.DeviceError("failed")

        image = Image(ndarray(PIXELS, stream=1), ndarray(IVAR))
        with mock.patch.object(_device, "_driver", driver):
            with self.assertRaises(libspecex.DeviceError):
                image._struct()
        self.assertEqual(
            called,
            [
                "cuPointerGetAttribute",
                "cuDevicePrimaryCtxRetain",
                "cuCtxPushCurrent_v2",
                "cuStreamSynchronize",
                "cuCtxPopCurrent_v2",
                "cuDevicePrimaryCtxRelease_v2",
            ],
        )

    def test_out_in_host_memory(self):
        whole = small_context().extract_frame(IMAGE, GRID)
        out = {"flux": np.empty_like(whole.flux), "mask": np.empty_like(whole.mask)}
        frame = small_context().extract_frame(IMAGE, GRID, out=out)
        self.assertIs(frame.flux, out["flux"])
        self.assertIsNone(frame.ivar)
        self.assertEqual(frame.npatch, whole.npatch)
        np.testing.assert_array_equal(out["flux"], whole.flux)
        np.testing.assert_array_equal(out["mask"] & 127, whole.mask & 127)


class Emulated(unittest.TestCase):
    @unittest.skipUnless(os.environ.get("LIBSPECEX_EMULATED"), "no emulated backend")
    def test_device_cases(self):
        """In a process of its own, which loads that library."""
        library = os.environ["LIBSPECEX_EMULATED"]
        ended = subprocess.run(
            [sys.executable, "-W", "error", "-m", "unittest", "device_cases"],
            cwd=Path(__file__).parent,
            env={**os.environ, "LIBSPECEX_LIBRARY": library},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.assertEqual(ended.returncode, 0, ended.stderr)
