#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The wheel is built, installed and used where nothing but Python and NumPy is asked for.
#
#   test_python_wheel.sh PYTHON BUILD_DIR SOURCE_DIR
set -euo pipefail

python=$1 source=$3
[ -x "$python" ] || { echo "no Python with NumPy was found"; exit 77; }
"$python" -c "import setuptools, wheel, pip" 2>/dev/null ||
  { echo "no setuptools, wheel and pip"; exit 77; }
export SPECEX_BUILD_DIR=$2 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INDEX=1
export PIP_ROOT_USER_ACTION=ignore
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir -p source/include source/bindings  # setuptools writes beside pyproject.toml
cp -r "$source/include/specex" source/include
cp -r "$source/bindings/python" source/bindings
"$python" -m pip -q wheel --no-build-isolation --no-deps -w . source/bindings/python
"$python" -m pip -q install --no-deps --no-compile -t installed libspecex-*.whl

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
except (libspecex.FileError, libspecex.UnsupportedError):
    pass
else:
    raise SystemExit("a file that is absent was read")
print(Path(libspecex.__file__).parent / "lib")
PYTHON
lib=$(env -u LIBSPECEX_LIBRARY PYTHONPATH="installed:$source/tests/bindings/python" \
  "$python" use.py)

echo "-- what is not of the C and C++ libraries lies in the wheel"
ldd "$lib/libspecex_wheel.so" | tee needs
if grep -v -E "=> $lib/|/ld-linux|linux-vdso|/lib(c|m|z|gcc_s|stdc\+\+)\.so" needs; then
  exit 1
fi
