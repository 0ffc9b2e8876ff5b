# SPDX-License-Identifier: BSD-3-Clause
"""The memory of a GPU, by its driver alone, and what takes its place in the tests.

Both pin arrays, tell how much memory is taken, and know the ceilings of the machine:
bytes per second of large copies, measured, and multiply-adds of doubles, as a data sheet
has them.
"""

import ctypes
import time
from ctypes import byref, c_char_p, c_int, c_size_t, c_uint64, c_void_p

COPY_BYTES = 1 << 30
COPIES = 10


class NoGpu(Exception):
    """Why there is none."""


class Gpu:
    """The primary context of a GPU, libspecex's too, in the thread that made this."""

    emulated = False
    # Numbers of the driver's attributes of a device.
    CLOCK_KHZ, MULTIPROCESSORS, MAJOR, MINOR = 13, 16, 75, 76
    # Multiply-adds of doubles a multiprocessor begins with each cycle.
    DOUBLES = {(6, 0): 32, (7, 0): 32, (8, 0): 32, (9, 0): 64, (10, 0): 64}

    def __init__(self, number):
        try:
            self.driver = ctypes.CDLL("libcuda.so.1")
        except OSError as error:
            raise NoGpu(f"no driver ({error})") from None
        self._call("cuInit", 0)
        self.device = c_int()
        self._call("cuDeviceGet", byref(self.device), number)
        context = c_void_p()
        self._call("cuDevicePrimaryCtxRetain", byref(context), self.device)
        self._call("cuCtxSetCurrent", context)

    def _call(self, function, *arguments):
        error = getattr(self.driver, function)(*arguments)
        if error:
            text = c_char_p()
            self.driver.cuGetErrorString(error, byref(text))
            raise NoGpu(f"{function}: {(text.value or b'unknown error').decode()}")

    def _attribute(self, number):
        value = c_int()
        self._call("cuDeviceGetAttribute", byref(value), number, self.device)
        return value.value

    def _capability(self):
        return self._attribute(self.MAJOR), self._attribute(self.MINOR)

    def describe(self):
        name, version = ctypes.create_string_buffer(256), c_int()
        self._call("cuDeviceGetName", name, len(name), self.device)
        self._call("cuDriverGetVersion", byref(version))
        return {
            "name": name.value.decode(),
            "memory_bytes": self._memory()[1],
            "compute_capability": "{}.{}".format(*self._capability()),
            "driver_cuda": f"{version.value // 1000}.{version.value % 1000 // 10}",
        }

    def _memory(self):
        free, total = c_size_t(), c_size_t()
        self._call("cuMemGetInfo_v2", byref(free), byref(total))
        return free.value, total.value

    def bytes_in_use(self):
        free, total = self._memory()
        return total - free

    def pin(self, array):
        portable = 1  # for all contexts
        self._call(
            "cuMemHostRegister_v2",
            c_void_p(array.ctypes.data),
            c_size_t(array.nbytes),
            portable,
        )

    def unpin(self, array):
        self._call("cuMemHostUnregister", c_void_p(array.ctypes.data))

    def peak_flops(self):
        """None for a kind of GPU whose data sheet is not known here."""
        doubles = self.DOUBLES.get(self._capability())
        if doubles is None:
            return None
        cycles = 1e3 * self._attribute(self.CLOCK_KHZ)
        return 2 * doubles * self._attribute(self.MULTIPROCESSORS) * cycles

    def copy_speeds(self, pinned, pageable):
        """Bytes per second of large copies: of arrays of the host, and on the device."""
        here, there = c_uint64(), c_uint64()
        for memory in (here, there):
            self._call("cuMemAlloc_v2", byref(memory), c_size_t(COPY_BYTES))

        def speed(function, to, source, size):
            def copy():
                self._call(function, to, source, c_size_t(size))
                self._call("cuCtxSynchronize")

            return size / least_seconds(copy)

        def both_ways(array):
            host = c_void_p(array.ctypes.data)
            return {
                "upload": speed("cuMemcpyHtoD_v2", here, host, array.nbytes),
                "download": speed("cuMemcpyDtoH_v2", host, here, array.nbytes),
            }

        try:  # a copy on the device reads as many bytes as it writes
            return {
                "device": 2 * speed("cuMemcpyDtoD_v2", there, here, COPY_BYTES),
                "pinned": both_ways(pinned),
                "pageable": both_ways(pageable),
            }
        finally:
            for memory in (here, there):
                self._call("cuMemFree_v2", memory)


class EmulatedGpu:
    """The processor, which is the device of the library that the tests build."""

    emulated = True

    def __init__(self, library):
        self.library = ctypes.CDLL(library)
        self.library.specex_emulated_memory_in_use.restype = ctypes.c_int64

    def describe(self):
        return {"name": "emulated"}

    def bytes_in_use(self):
        return self.library.specex_emulated_memory_in_use()

    def pin(self, array):
        pass

    def unpin(self, array):
        pass

    def peak_flops(self):
        return None

    def copy_speeds(self, pinned, pageable):
        size = min(pinned.nbytes, pageable.nbytes)
        speed = size / least_seconds(
            lambda: ctypes.memmove(pinned.ctypes.data, pageable.ctypes.data, size)
        )
        ways = {"upload": speed, "download": speed}
        return {"device": 2 * speed, "pinned": ways, "pageable": ways}


def least_seconds(work):
    seconds = []
    for _ in range(COPIES):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)
