#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The example of docs/fortran.md extracts, and stops with the library's sentence where its
# input is not there.
#
#   test_example.sh SPECEX SOURCE_DIR FORTRAN_COMPILER MODULE_DIR LIBRARY...
set -euo pipefail

specex=$1 source=$2 compiler=$3 modules=$4
shift 4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

sed -n '/^```fortran$/,/^```$/{/^```/d;p}' "$source/docs/fortran.md" >example.f90
"$compiler" -Wall -Wextra -Werror -std=f2018 -I"$modules" example.f90 "$@" -o example

echo "-- the example stops where there is no PSF"
if ./example 2>message; then exit 1; fi
grep '^ERROR STOP SPECEX_ERROR_IO: .*psf.fits' message

echo "-- the example extracts"
"$specex" make-psf --camera r --nspec 5 -o psf.fits
"$specex" simulate -p psf.fits -o preproc.fits --seed 1
./example | grep '^ 6000.00 '
[ -s frame.fits ]
