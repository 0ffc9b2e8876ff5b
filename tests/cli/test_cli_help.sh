#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The program explains itself, and a wrong command is one sentence and exit 21.
. "$(dirname "$0")/support.sh"

expect_exit 0 version "$specex" --version
expect "version is a number" grep -qx 'specex [0-9]*\.[0-9]*\.[0-9]*' out.log
expect_exit 0 help "$specex" --help
for command in extract simulate make-psf compare info demo bench; do
  expect "help names $command" grep -q "^  $command " out.log
done
for command in extract simulate make-psf compare info demo bench; do
  expect_exit 0 "help of $command" "$specex" "$command" --help
  expect "$command shows how it is called" grep -q "$command" out.log
  expect_exit 0 "help of $command" "$specex" "$command" --help
  expect "help is on the standard output alone" test ! -s err.log
  cp out.log "help-$command.log"
done
for command in extract simulate make-psf compare bench; do
  expect "$command has an example" grep -qi example "help-$command.log"
done
for option in -i,--input -p,--psf -o,--output -m,--model -w,--wavelength -s,--specmin \
  -n,--nspec -r,--regularize -f,--fibermap --bundlesize --nsubbundles --nwavestep \
  --wavepad --wavepad-frac --pixpad-frac --psferr --barycentric-correction --no-scores \
  --compat --badmask --backend --threads \
  --device --num-devices --device-memory --decorrelate --strict --float64 --timing \
  --loglevel; do
  expect "extract has $option" grep -q -- "^  $option " help-extract.log
done

expect_exit 21 "no subcommand" "$specex"
expect_sentence "no subcommand" "subcommand"
expect_exit 21 "unknown subcommand" "$specex" extrakt
expect_sentence "unknown subcommand" "extrakt|subcommand"
expect_exit 21 "missing options" "$specex" extract
expect_sentence "missing options" "required.*specex extract --help"

extract=("$specex" extract -i image.fits -p psf.fits -o frame.fits)
expect_exit 21 "unknown option" "${extract[@]}" --nonsense
expect_sentence "unknown option" "nonsense"
expect_exit 21 "unknown backend" "${extract[@]}" --backend abacus
expect_sentence "unknown backend" "abacus"
expect_exit 21 "not a number" "${extract[@]}" --nspec five
expect_sentence "not a number" "five"
for value in -1 1024 x; do
  expect_exit 21 "device $value" "${extract[@]}" "--device=$value"
  expect_sentence "device $value" "--device"
done
expect_exit 21 "no devices" "${extract[@]}" --num-devices 0
expect_sentence "no devices" "--num-devices"
for value in x 5X -1G nan M 1e12T ''; do
  expect_exit 21 "size '$value'" "${extract[@]}" "--device-memory=$value"
  expect_sentence "size '$value'" "--device-memory"
done
for value in 6500,6600 6500,6600,0.8,1 6500,6600,x 6600,6500,0.8 6500,6600,0 \
  6500,6600,-1 nan,6600,1 6500,inf,1; do
  expect_exit 21 "wavelengths $value" "${extract[@]}" -w "$value"
  expect_sentence "wavelengths $value" "wave"
done
for value in x -1 12z 0x ''; do
  expect_exit 21 "badmask '$value'" "${extract[@]}" "--badmask=$value"
  expect_sentence "badmask '$value'" "badmask"
done
expect_exit 21 "output of another format" \
  "$specex" extract -i image.fits -p psf.fits -o frame.txt
expect_sentence "output of another format" "frame.txt"
expect_exit 21 "input that is not there" "${extract[@]}"
expect_sentence "input that is not there" "psf.fits"
expect_exit 21 "info of nothing" "$specex" info
expect_sentence "info of nothing" "FILE"
expect "nothing was written" test -z "$(find . -name '*.fits')"
finish
