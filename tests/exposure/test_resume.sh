#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# A frame that is there is left alone only if it is undamaged and made from the same
# inputs with the same options.
. "$(dirname "$0")/support.sh"
make_images 2
cat >list.csv <<'CSV'
input,psf,output,model
image1.fits,psf.fits,a.fits,a-model.fits
image2.fits,psf.fits,b.fits,
CSV
before=""
# made WHAT VERIFIED GOOD ARGUMENTS...
made() {
  local what=$1 verified=$2 good=$3
  shift 3
  expect_exit 0 "$what" "${exposure[@]}" list.csv "${range[@]}" "$@"
  expect_reported "$what" verified "$verified" good "$good"
  expect_same "$what" a.fits first.fits
}
expect_exit 0 "first" "${exposure[@]}" list.csv "${range[@]}"
cp a.fits first.fits
made "again" 2 0
made "again, threads do not matter" 2 0 --threads 3
made "not wanted" 0 2 --no-resume
made "again" 2 0

# One of the two is made anew.
made_anew() { made "$1" 1 1; made "$1, and then no more" 2 0; }
rm b.fits
made_anew "missing"
rm a-model.fits
made_anew "the model is missing"
truncate -s -2880 a.fits
made_anew "truncated"
: >b.fits
made_anew "empty"
printf X | overwrite a.fits $(($(data_offset a.fits) + 1000))
made_anew "damaged"
printf X | overwrite a-model.fits $(($(data_offset a-model.fits) + 1000))
made_anew "the model is damaged"
unchecked a.fits b.fits
made_anew "without checksums"
"$specex" extract -i image2.fits -p psf.fits "${range[@]}" -o b.fits >/dev/null
made "made by extract" 2 0
cp a.fits b.fits
made_anew "another's"
touch image2.fits
made_anew "the image is newer"
cp image1.fits image2.fits
made_anew "the image is another"
touch psf.fits
made "the PSF is newer" 0 2

# All of them, with other options.
last=$(sums a.fits)
for option in "-n 3" "-w 6500,6530,0.8" "-r 0.01" "--float64" "--no-scores" "--psferr 0.1" \
  "--badmask 1" "--bundlesize 5" "--compat gpu_specter" "--strict" "--decorrelate noise"; do
  expect_exit 0 "with $option" "${exposure[@]}" list.csv "${range[@]}" $option
  expect_reported "with $option" verified 0 good 2
done
expect "other numbers with other options" test "$(sums a.fits)" != "$last"

# What is degraded is so still, and is not made again.
unchecked image1.fits masked.fits
plane=$(((470 * 4128 * 4 + 2879) / 2880 * 2880))
head -c $plane /dev/zero | overwrite masked.fits $(($(data_offset masked.fits) + plane + 2880))
cat >degraded.csv <<'CSV'
input,psf,output
image1.fits,psf.fits,c.fits
masked.fits,psf.fits,d.fits
CSV
expect_exit 10 "degraded" "${exposure[@]}" degraded.csv "${range[@]}"
expect_sentence "degraded" "1 of 2 frames written, 1 degraded"
expect "degraded, with its reason" grep -q "no bin could be measured" report.json
before=$(stat -c %y d.fits)
expect_exit 10 "still degraded" "${exposure[@]}" degraded.csv "${range[@]}"
expect_reported "still degraded" verified 1 degraded 1 good 0
expect "still degraded, not made again" test "$(stat -c %y d.fits)" = "$before"

# What processes that were killed have left is removed, what others have is not.
touch a.tmp999999999-0123456789abcdef.fits a-model.tmp999999999.fits \
  "b.tmp$$-0123456789abcdef.fits" z.tmp999999999-0.fits
expect_exit 0 "leftovers" "${exposure[@]}" list.csv "${range[@]}"
expect "leftovers" test "$(echo *tmp*)" = "b.tmp$$-0123456789abcdef.fits z.tmp999999999-0.fits"
finish
