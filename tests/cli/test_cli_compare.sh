#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# compare ends with 1 exactly where a bound is passed, and info says what is in a file.
. "$(dirname "$0")/support.sh"
make_inputs
extract() { "$specex" extract -i image.fits -p psf.fits -w 6500,6600,0.8 --float64 "$@"; }
expect "inputs" extract -o a.fits -m a-model.fits
expect "inputs" extract -o b.fits -m b-model.fits --wavepad 6
expect "inputs" extract -o c.fits -n 4
expect "inputs" "$specex" extract -i image.fits -p psf.fits -o d.fits -w 6500,6600,0.5
expect "inputs" "$specex" extract -i image.fits -p psf.fits -o e.fits -w 6500.1,6600.1,0.8

expect_exit 0 "equal frames" "$specex" compare a.fits a.fits --max-pull 0 --max-ivar 0 \
  --max-resolution 0 --max-chi2pix 0 --max-pixmask-difference 0
expect_exit 0 "no bounds" "$specex" compare a.fits b.fits
for bound in pull ivar resolution chi2pix; do
  expect_exit 1 "bound on $bound" "$specex" compare a.fits b.fits "--max-$bound" 1e-14
  expect "bound on $bound" grep -q "passes" out.log
  expect "bound on $bound is not an error" test ! -s err.log
  expect_exit 0 "wide bound on $bound" "$specex" compare a.fits b.fits "--max-$bound" 1
done
expect_exit 1 "other fibres" "$specex" compare a.fits c.fits
expect_sentence "other fibres" "5 x 126.*4 x 126"
expect_exit 1 "other bins" "$specex" compare a.fits d.fits
expect_sentence "other bins" "bins"
expect_exit 1 "other wavelengths" "$specex" compare a.fits e.fits
expect_sentence "other wavelengths" "6500"
expect_exit 21 "a model of neither" "$specex" compare a.fits b.fits --max-model 1
expect_sentence "a model of neither" "model"
expect_exit 20 "not a frame" "$specex" compare a.fits psf.fits
expect_sentence "not a frame" "psf.fits"
expect_exit 21 "no such file" "$specex" compare a.fits none.fits
expect_sentence "no such file" "none.fits"

expect_exit 0 "info" "$specex" info psf.fits image.fits a.fits
expect "info of a PSF" grep -q "5 fibres, 5543 to 7826 Angstrom" out.log
expect "info of an image" grep -q "470 x 4128 pixels of float32" out.log
expect "info of a frame" grep -q "5 spectra of 126 bins, 6500 to 6600 Angstrom" out.log
expect_exit 0 "backends" "$specex" info --backends
for backend in cpu cuda reference auto; do
  expect "backends has $backend" grep -q "^$backend " out.log
done
head -c 10000 image.fits >short.fits
expect_exit 20 "info of a truncated file" "$specex" info short.fits
expect_sentence "info of a truncated file" "short.fits.*truncated"
expect_exit 21 "info of no file" "$specex" info none.fits
expect_sentence "info of no file" "none.fits"
expect_exit 75 "output that cannot be printed" bash -c "'$specex' info psf.fits >/dev/full"
expect_sentence "output that cannot be printed" "standard output"
finish
