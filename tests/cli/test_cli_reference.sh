#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# By gpu_specter's rules, the results are gpu_specter's: test_cli_reference.sh PROGRAM
# CASE..., for the reference cases named, with both backends.
. "$(dirname "$0")/support.sh"
skip_without_reference
shift

# option FILE NAME: how the reference was made, from its first header.
option() {
  head -c 5760 "$1" | fold -w 80 | grep -am1 "^$(printf %-8s "$2")= " |
    sed -E "s/^.{10}//; s/^'([^']*)'.*/\1/; s/ //g"
}

for case in "$@"; do
  image=$reference_dir/$case-preproc.fits
  psf=$reference_dir/$case-psf.fits
  reference=$reference_dir/$case-reference.fits
  bounds=(--max-pull 2e-6 --max-ivar 1e-7 --max-resolution 1e-7
    --max-chi2pix 2e-6 --max-pixmask-difference 2e-6 --max-model 2e-6)
  # Its rows are all dark: patches are near-singular, and their models with them.
  [ "$case" = r-dark ] && bounds=(--max-pull 1e-5 --max-ivar 1e-5 --max-resolution 1e-5
    --max-chi2pix 2e-6 --max-pixmask-difference 2e-6)
  for backend in cpu reference; do
    expect "$case, $backend" "$specex" extract -i "$image" -p "$psf" -o frame.fits \
      -m model.fits -w "$(option "$reference" OPT_W)" -n "$(option "$reference" OPT_N)" \
      --bundlesize "$(option "$reference" OPT_BUN)" \
      --nsubbundles "$(option "$reference" OPT_SUB)" \
      --nwavestep "$(option "$reference" OPT_NWS)" \
      --compat gpu_specter --float64 --badmask 4294967295 --backend $backend
    expect "$case, $backend" \
      "$specex" compare frame.fits "$reference" --model model.fits "${bounds[@]}"
    cat command.log
  done
done

# FIBERMAPs: the image's, or another's.
image=$reference_dir/r-single-preproc.fits
psf=$reference_dir/r-single-psf.fits
for source in "$image" "$reference_dir/r-whole-preproc.fits"; do
  expect "FIBERMAP of $source" "$specex" extract -i "$image" -p "$psf" -o frame.fits \
    -w 7400,7500,0.8 -f "$source"
  expect "FIBERMAP of $source" grep -aq "EXTNAME = 'FIBERMAP'" frame.fits
done
expect "FIBERMAP of the image" "$specex" extract -i "$image" -p "$psf" -o own.fits \
  -w 7400,7500,0.8
expect "FIBERMAP of the image" grep -aq "EXTNAME = 'FIBERMAP'" own.fits
expect_exit 20 "FIBERMAP of too few rows" "$specex" extract \
  -i "$reference_dir/r-plain-preproc.fits" -p "$reference_dir/r-plain-psf.fits" \
  -o few.fits -w 6500,6600,0.8 -f "$image"
expect_sentence "FIBERMAP of too few rows" "FIBERMAP.*rows"
expect "FIBERMAP of too few rows" test ! -e few.fits
finish
