#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# A Python program, and the example of docs/python.md, get what the command line gets;
# python -m libspecex is the command line.
#
#   test_python_client.sh PYTHON LIBRARY SOURCE_DIR PROGRAM
set -euo pipefail

python=$1 source=$3 program=$4
[ -x "$python" ] || { echo "no Python with NumPy was found"; exit 77; }
export LIBSPECEX_LIBRARY=$2 PYTHONPATH=$source/bindings/python
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

specex() { PATH=$(dirname "$program"):$PATH "$python" -m libspecex "$@"; }
specex make-psf --camera r --nspec 5 -o psf.fits
specex simulate -p psf.fits -o preproc.fits --seed 1
[ "$(specex --version)" = "$("$program" --version)" ]
if PATH=/nowhere "$python" -m libspecex --version 2>message; then
  echo "python -m libspecex found a program on an empty PATH"
  exit 1
fi
grep -q "specex is not on PATH" message

# same WAVELENGTHS FIRST NSPEC OUT: the command line's frame has the same bits.
same() {
  "$program" extract -i preproc.fits -p psf.fits -o expected.fits -w "$1" -s "$2" -n "$3"
  "$program" compare "$4" expected.fits --max-pull 0 --max-ivar 0 --max-resolution 0 \
    --max-chi2pix 0 --max-pixmask-difference 0
}

"$python" "$source/tests/bindings/python/client.py" \
  psf.fits preproc.fits client.fits 6000 6100 0.8 1 3
same 6000,6100,0.8 1 3 client.fits

sed -n '/^```python$/,/^```$/{/^```/d;p}' "$source/docs/python.md" >example.py
"$python" example.py
same 6000,6200,0.8 0 5 frame.fits
