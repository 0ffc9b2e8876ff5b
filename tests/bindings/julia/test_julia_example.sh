#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The example of docs/julia.md gets what the command line gets.
#
#   test_julia_example.sh JULIA LIBRARY SOURCE_DIR PROGRAM
set -euo pipefail

julia=$1 source=$3 program=$4
[ -x "$julia" ] || { echo "no Julia was found"; exit 77; }
export LIBSPECEX_LIBRARY=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export JULIA_DEPOT_PATH=$work/depot JULIA_LOAD_PATH=$source/bindings/julia:@stdlib

"$program" make-psf --camera r --nspec 5 -o psf.fits
"$program" simulate -p psf.fits -o preproc.fits --seed 1

sed -n '/^```julia$/,/^```$/{/^```/d;p}' "$source/docs/julia.md" >example.jl
"$julia" --startup-file=no example.jl
"$program" extract -i preproc.fits -p psf.fits -o expected.fits -w 6000,6200,0.8
"$program" compare frame.fits expected.fits --max-pull 0 --max-ivar 0 --max-resolution 0 \
  --max-chi2pix 0 --max-pixmask-difference 0
