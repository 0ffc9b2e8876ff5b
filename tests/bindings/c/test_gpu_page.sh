#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The example of docs/gpu.md compiles, and gets on the emulated GPU what the same text gets
# on the processor.
#
#   test_gpu_page.sh COMPILER EMULATED_LIBRARY SOURCE_DIR PROGRAM
set -euo pipefail

compiler=$1 library=$2 source=$3 program=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

sed -n '/^```c$/,/^```$/{/^```/d;p}' "$source/docs/gpu.md" >gpu.c
sed 's/BACKEND_CUDA/BACKEND_CPU/; s/MEMORY_DEVICE/MEMORY_HOST/' gpu.c >cpu.c
for name in gpu cpu; do
  $compiler -std=c99 -Wall -Wextra -pedantic -Werror -I"$source/include" \
    -I"$source/tests/bindings/c/stand_in" $name.c "$library" \
    -Wl,-rpath,"$(dirname "$library")" -o $name
done
"$program" make-psf --camera r --nspec 5 -o psf.fits
"$program" simulate -p psf.fits -o preproc.fits --seed 1
./gpu psf.fits preproc.fits | tee gpu.out
./cpu psf.fits preproc.fits >cpu.out
grep -qE '^-?[0-9]+\.[0-9]{2}$' gpu.out
cmp gpu.out cpu.out
if ./gpu psf.fits psf.fits 2>message; then exit 1; fi
grep -q '^SPECEX_ERROR_FORMAT: ' message
