#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# A Julia program, and the example of docs/julia.md, get what the command line gets.
#
#   test_julia_client.sh JULIA LIBRARY SOURCE_DIR PROGRAM
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

# same WAVELENGTHS FIRST NSPEC OUT: the command line's frame has the same bits.
same() {
  "$program" extract -i preproc.fits -p psf.fits -o expected.fits -w "$1" -s "$2" -n "$3"
  "$program" compare "$4" expected.fits --max-pull 0 --max-ivar 0 --max-resolution 0 \
    --max-chi2pix 0 --max-pixmask-difference 0
}

"$julia" --startup-file=no "$source/tests/bindings/julia/client.jl" \
  psf.fits preproc.fits client.fits 6000 6100 0.8 1 3
same 6000,6100,0.8 1 3 client.fits

sed -n '/^```julia$/,/^```$/{/^```/d;p}' "$source/docs/julia.md" >example.jl
"$julia" --startup-file=no example.jl
same 6000,6200,0.8 0 5 frame.fits
