#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# What extract writes for good inputs, by each of its options.
. "$(dirname "$0")/support.sh"
make_inputs

extract() { "$specex" extract -i image.fits -p psf.fits "$@"; }
range=(-w 6500,6600,0.8)
bounds=(--max-pull 0 --max-ivar 0 --max-resolution 0 --max-chi2pix 0
  --max-pixmask-difference 0)
has() { "$specex" info "$1" | grep -q -- "$2"; }
has_key() { [ "$(key "$1" "$2")" = "$3" ] || { key "$1" "$2"; false; }; }

expect "extracts" extract -o all.fits "${range[@]}" --float64 -m model.fits
for hdu in FLUX IVAR MASK WAVELENGTH RESOLUTION CHI2PIX SCORES; do
  expect "frame has $hdu" grep -aq "EXTNAME = '$hdu *'" all.fits
done
expect "the model is an image" has model.fits "470 x 4128 pixels of float64"
expect "the frame is its own equal" \
  "$specex" compare all.fits all.fits --model model.fits "${bounds[@]}"

# The same bits for any number of threads.
for threads in 1 2 3 8; do
  expect "$threads threads" \
    extract -o "threads.fits" "${range[@]}" --float64 --threads $threads
  expect "$threads threads, same arrays" \
    test "$(datasums threads.fits)" = "$(datasums all.fits)"
  expect "$threads threads are in the header" has threads.fits "threads $threads"
done
expect "by the environment" env OMP_NUM_THREADS=3 \
  "$specex" extract -i image.fits -p psf.fits -o threads.fits "${range[@]}"
expect "by the environment" has threads.fits "threads 3"
expect "by the batch system" env -u OMP_NUM_THREADS SLURM_CPUS_PER_TASK=3 \
  "$specex" extract -i image.fits -p psf.fits -o threads.fits "${range[@]}"
expect "by the batch system" has threads.fits "threads 3"

# Any range of fibres has the sizes asked for and agrees with the reference backend, once
# both have the same patches.
same=(--nsubbundles 5 --nwavestep 50)
for fibers in "0 5" "0 1" "1 3" "4 1" "2 2"; do
  read -r first count <<<"$fibers"
  expect "fibres $fibers" \
    extract -o some.fits "${range[@]}" --float64 -s "$first" -n "$count" "${same[@]}"
  expect "fibres $fibers" has some.fits "$count spectra of 126 bins, 6500 to 6600"
  expect "fibres $fibers" has_key some.fits FIBERMIN "$first"
  expect "fibres $fibers" extract -o slow.fits "${range[@]}" --float64 \
    -s "$first" -n "$count" --backend reference "${same[@]}"
  expect "fibres $fibers, reference" "$specex" compare some.fits slow.fits \
    --max-pull 2e-6 --max-ivar 1e-7 --max-resolution 1e-7
done

# What is written, and how.
expect "single precision" extract -o single.fits "${range[@]}"
expect "single precision" \
  "$specex" compare single.fits all.fits --max-pull 1e-3 --max-ivar 1e-6
expect "single precision" test "$(stat -c %s single.fits)" -lt "$(stat -c %s all.fits)"
expect "no scores" extract -o no-scores.fits "${range[@]}" --no-scores
expect "no scores" bash -c "! grep -aq \"EXTNAME = 'SCORES\" no-scores.fits"
expect "compressed" extract -o all.fits.gz "${range[@]}" --float64
expect "compressed" gzip -t all.fits.gz
expect "compressed" bash -c \
  "gunzip <all.fits.gz >unzipped.fits && '$specex' compare unzipped.fits all.fits ${bounds[*]}"
gzip -k image.fits
mv image.fits hidden.fits
expect "the compressed image where the other is missing" \
  extract -o from-gz.fits "${range[@]}" --float64
mv hidden.fits image.fits
expect "the compressed image gives the same" \
  test "$(datasums from-gz.fits)" = "$(datasums all.fits)"
expect "a name of odd characters" \
  extract -o '~a[1:2](!b) | c.fits' "${range[@]}" --float64
expect "a name of odd characters" \
  test "$(datasums '~a[1:2](!b) | c.fits')" = "$(datasums all.fits)"

# Provenance.
expect "every option" extract -o options.fits "${range[@]}" -s 1 -n 3 -r 0.001 \
  --bundlesize 5 --nsubbundles 2 --nwavestep 33 --wavepad 8 --wavepad-frac 0.5 \
  --pixpad-frac 0.7 --psferr 0.02 --badmask 0x2f --decorrelate noise --strict
version=$("$specex" --version | grep -oE '[0-9.]+$')
while read -r name value; do
  expect "key $name" has_key options.fits "$name" "$value"
done <<KEYS
NSPEC 3
WAVEMIN 6500.0
WAVEMAX 6600.0
WAVESTEP 0.8
SPECTER libspecex $version
IN_PSF psf.fits
IN_IMG image.fits
DEPNAM00 libspecex
DEPVER00 $version
CAMERA r0
FLAVOR science
BUNIT electron/Angstrom
OPTSPMIN 1
OPTCOMPA none
OPTDECOR noise
OPTBUNSZ 5
OPTNSUBB 2
OPTNWSTP 33
OPTWPAD 8
OPTWPADF 0.5
OPTPPADF 0.7
OPTREGUL 0.001
OPTPSFER 0.02
OPTBADMK 47
OPTBARY F
OPTSTRIC T
OPTFLT64 F
OPTSCORE T
KEYS
expect "compat has gpu_specter's defaults" \
  extract -o compat.fits "${range[@]}" -n 5 --bundlesize 5 --compat gpu_specter
expect "compat has gpu_specter's defaults" has_key compat.fits OPTNSUBB 5
expect "compat has gpu_specter's defaults" has_key compat.fits OPTNWSTP 50
expect "the last of repeated options counts" \
  extract -o last.fits "${range[@]}" -n 1 -n 2
expect "the last of repeated options counts" has last.fits "2 spectra"

# Wavelengths: those of the camera, and in the frame of the barycentre.
expect "range of the camera" extract -o camera.fits -n 1
expect "range of the camera" has camera.fits "1 spectra of 2326 bins, 5760 to 7620"
expect "barycentric" extract -o bary.fits "${range[@]}" --barycentric-correction
expect "barycentric, the grid is as asked for" has bary.fits "126 bins, 6500 to 6600 Ang"
expect "barycentric, the factor" grep -qE '^(0\.999[89]|1\.000[01])[0-9]{6,}$' \
  <(key bary.fits HELIOCOR)
expect "no factor where it was not asked for" test -z "$(key all.fits HELIOCOR)"
expect "barycentric, other spectra" \
  bash -c "! '$specex' compare bary.fits all.fits --max-pull 0.01 >/dev/null"
sed 's/CHECKSUM=/CHECKSIM=/g; s/MJD-OBS =/MJD-ABS =/' image.fits >no-date.fits
expect_exit 20 "barycentric without a date" "$specex" extract -i no-date.fits \
  -p psf.fits -o none.fits "${range[@]}" --barycentric-correction
expect_sentence "barycentric without a date" "MJD-OBS"
expect "barycentric without a date" test ! -e none.fits
# The PSF may be used up to 7848.83 Angstrom; the grid that is extracted ends below.
expect "barycentric to the PSF's end" \
  extract -o end.fits -w 7828.9,7848.9,0.8 --barycentric-correction

# A range may leave the CCD.
expect_exit 0 "beyond the CCD" \
  "$specex" extract -i image.fits -p psf.fits -o beyond.fits -w 5543,5900,0.8
expect "beyond the CCD" has beyond.fits " 9[0-9]\.[0-9]*% of the bins measured"
expect "on the CCD" extract -o inside.fits -w 5600,5900,0.8
expect "on the CCD" has inside.fits " 100.00% of the bins measured"

# A pixel that is not a number is masked and counted, or an error.
unchecked image.fits nan.fits
printf '\177\300\0\0' | overwrite nan.fits $(($(data_offset nan.fits) + 4 * (470 * 1700 + 9)))
expect "a pixel that is no number" "$specex" extract -i nan.fits -p psf.fits \
  -o nan-frame.fits "${range[@]}"
expect "a pixel that is no number is counted" has_key nan-frame.fits SPXNBAD 1
expect_exit 20 "a pixel that is no number, strictly" "$specex" extract -i nan.fits \
  -p psf.fits -o strict.fits "${range[@]}" --strict
expect_sentence "a pixel that is no number, strictly" "finite"
expect "a pixel that is no number, strictly" test ! -e strict.fits

# Pixels that no arithmetic can take: their patches fail, the others are as they were.
unchecked model.fits huge.fits
offset=$(data_offset huge.fits)
row=$((470 * 8))
plane=$(((row * 4128 + 2879) / 2880 * 2880))
for start in $offset $((offset + plane + 2880)); do  # IMAGE, IVAR
  printf '\177\340\0\0\0\0\0\0%.0s' {1..4700} |
    overwrite huge.fits $((start + row * 1720))
done
expect_exit 10 "patches that fail" "$specex" extract -i huge.fits -p psf.fits \
  -o degraded.fits "${range[@]}" --nwavestep 25 --timing degraded.json
expect_sentence "patches that fail" "[0-9]+ of [0-9]+ patches failed.*degraded.fits"
expect "patches that fail are counted" grep -q '"patches_failed": [1-9]' degraded.json
expect "patches that fail are counted" \
  has_key degraded.fits SPXNFAIL "$(grep -o '"patches_failed": [0-9]*' degraded.json | tr -dc 0-9)"
expect "patches that fail, the rest is measured" \
  has degraded.fits " [1-9][0-9]\.[0-9]*% of the bins measured"
expect "patches that fail are finite" "$specex" compare degraded.fits degraded.fits

# Times and log.
echo old >timing.json
ln timing.json old.json
expect "timing" extract -o timed.fits "${range[@]}" --timing timing.json --threads 2
expect "timing replaces a file at once" grep -q old old.json
for name in read_s extract_s write_s total_s threads backend patches paths dense banded; do
  expect "timing has $name" grep -q "\"$name\":" timing.json
done
expect "timing" grep -q '"threads": 2,' timing.json
expect "timing" grep -q '"backend": "cpu",' timing.json
expect_exit 0 "log" "$specex" extract -i image.fits -p psf.fits -o f.fits "${range[@]}"
for file in "read image.fits" "read psf.fits" "write f.fits"; do
  expect "log of $file" grep -qE "^INFO:[a-z_]+\.cpp:[0-9]+:[a-z_]+: iotime \
[0-9]+\.[0-9]{3} sec to $file at [0-9-]{10}T[0-9:]{8}\.[0-9]{6}$" out.log
done
expect "no progress bar in a file" test ! -s err.log
if script -qec true /dev/null >/dev/null 2>&1; then  # a machine may have no terminals
  expect "progress bar on a terminal" script -qec "'$specex' extract -i image.fits \
    -p psf.fits -o f.fits --backend reference ${range[*]}" terminal.log
  expect "progress bar on a terminal" grep -q '\[##* *\]  *[0-9]*%' terminal.log
fi
expect_exit 0 "quiet" env DESI_LOGLEVEL=ERROR "$specex" extract -i image.fits \
  -p psf.fits -o f.fits "${range[@]}"
expect "quiet" test ! -s out.log
expect_exit 0 "the option is before the environment" env DESI_LOGLEVEL=ERROR "$specex" \
  extract -i image.fits -p psf.fits -o f.fits "${range[@]}" --loglevel info
expect "the option is before the environment" test -s out.log
finish
