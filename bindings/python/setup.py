# SPDX-License-Identifier: BSD-3-Clause
"""Builds the wheel: the package, and the C library as CMake builds it for wheels.

SPECEX_BUILD_DIR may name a build folder of the library to take it from; else everything
is built, from the sources that this folder is part of.
"""

import os
import re
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

try:
    from setuptools.command.bdist_wheel import bdist_wheel
except ImportError:  # before setuptools 70
    from wheel.bdist_wheel import bdist_wheel

SOURCE = Path(__file__).resolve().parents[2]


def version():
    header = (SOURCE / "include/specex/specex.h").read_text()
    parts = re.findall(r"#define SPECEX_VERSION_\w+ (\d+)", header)
    return ".".join(parts)


class BuildLibrary(build_ext):
    def run(self):
        build = os.environ.get("SPECEX_BUILD_DIR")
        if build is None:
            build = Path(self.build_temp).resolve()
            options = ["-DSPECEX_BUILD_TESTS=OFF", "-DSPECEX_BUILD_PROGRAMS=OFF"]
            self.spawn(["cmake", "-S", str(SOURCE), "-B", str(build), *options])
        target = Path(self.build_lib, "libspecex", "lib").resolve()
        where = ["--component", "wheel", "--prefix", str(target)]
        os.environ.setdefault("CMAKE_BUILD_PARALLEL_LEVEL", str(os.cpu_count()))
        self.spawn(["cmake", "--build", str(build), "--target", "specex_wheel"])
        self.spawn(["cmake", "--install", str(build), *where])
        for link in filter(Path.is_symlink, target.iterdir()):  # wheels would hold copies
            os.replace(link.resolve(), link)


class PlatformWheel(bdist_wheel):
    def get_tag(self):  # any Python 3: the library knows nothing of Python
        return "py3", "none", super().get_tag()[2]


setup(
    version=version(),
    ext_modules=[Extension("libspecex.lib", sources=[])],
    cmdclass={"build_ext": BuildLibrary, "bdist_wheel": PlatformWheel},
)
