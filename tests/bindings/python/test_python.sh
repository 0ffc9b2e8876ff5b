#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The package's tests, with the library that was just built.
#
#   test_python.sh PYTHON LIBRARY SOURCE_DIR
set -euo pipefail

python=$1 source=$3
[ -x "$python" ] || { echo "no Python with NumPy was found"; exit 77; }
export LIBSPECEX_LIBRARY=$2 PYTHONPATH=$source/bindings/python
export SPECEX_ABI_MANIFEST=$source/tests/abi/manifest.txt
exec "$python" -W error -m unittest discover -s "$source/tests/bindings/python"
