#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Python: the package, with the installed library.
#
#   test_python.sh PLACE SOURCE_DIR [PYTHON]
. "$(dirname "$0")/client.sh"
[ -x "${1:-}" ] || { echo "no Python with NumPy was found"; exit 77; }

export LIBSPECEX_LIBRARY=$libdir/libspecex.so PYTHONDONTWRITEBYTECODE=1
PYTHONPATH=$source/bindings/python same "$1" "$source/tests/bindings/python/client.py"
