#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The wheel is built, installed and used where nothing but Python and NumPy is asked for.
#
#   test_python_wheel.sh PYTHON BUILD_DIR SOURCE_DIR
set -euo pipefail

python=$1 source=$3
[ -x "$python" ] || { echo "no Python with NumPy was found"; exit 77; }
for module in pip setuptools wheel venv; do
  "$python" -c "import $module" 2>/dev/null || { echo "no Python $module"; exit 77; }
done
export SPECEX_BUILD_DIR=$2 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INDEX=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir -p source/include source/bindings  # setuptools writes beside pyproject.toml
cp -r "$source/include/specex" source/include
cp -r "$source/bindings/python" source/bindings
"$python" -m pip -q wheel --no-build-isolation --no-deps -w . source/bindings/python
"$python" -m venv --system-site-packages --without-pip environment
"$python" -m pip -q --python environment install --no-deps libspecex-*-py3-none-*.whl

cat >use.py <<'PYTHON'
from pathlib import Path

import libspecex
import numpy as np
from small_case import GRID, IMAGE, TRUTH, small_context

frame = small_context(num_threads=2).extract_frame(IMAGE, GRID)
assert not frame.mask.any()
assert np.allclose(frame.flux[:, 15], TRUTH[:, 15], rtol=0.05)
try:
    libspecex.read_psf("absent.fits")
except (libspecex.FileError, libspecex.UnsupportedError) as error:
    print(error)

# What is loaded beside the C library's and the compiler's own lies in the wheel.
own = Path(libspecex.__file__).parent / "lib"
mapped = {line.split()[-1] for line in open("/proc/self/maps") if ".so" in line}
print(*sorted(mapped), sep="\n")
assert str(own / "libspecex_wheel.so") in mapped
for name in ("libgfortran", "libcfitsio", "libcurl", "libdeflate"):
    assert all(path.startswith(str(own)) for path in mapped if name in path), name
PYTHON
env -u LIBSPECEX_LIBRARY PYTHONPATH="$source/tests/bindings/python" \
  environment/bin/python use.py
