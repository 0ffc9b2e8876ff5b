#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The example of docs/python.md gets what the command line gets; python -m libspecex is
# the command line.
#
#   test_python_example.sh PYTHON LIBRARY SOURCE_DIR PROGRAM
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

sed -n '/^```python$/,/^```$/{/^```/d;p}' "$source/docs/python.md" >example.py
"$python" example.py
"$program" extract -i preproc.fits -p psf.fits -o expected.fits -w 6000,6200,0.8 -n 5
"$program" compare frame.fits expected.fits --max-pull 0 --max-ivar 0 --max-resolution 0 \
  --max-chi2pix 0 --max-pixmask-difference 0
