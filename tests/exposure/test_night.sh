#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# A night of 200 small frames, of which every twentieth is bad in one of four ways: all
# good ones are right, all bad ones are named, and memory does not grow.
. "$(dirname "$0")/support.sh"
make_images 3
for i in 1 2 3; do
  expect "extract" "$specex" extract -i image$i.fits -p psf.fits "${range[@]}" -o good$i.fits
done
head -c 5000000 image1.fits >truncated.fits
: >empty.fits
"$specex" make-psf --camera z --nspec 5 -o z.fits
unchecked image1.fits masked.fits
plane=$(((470 * 4128 * 4 + 2879) / 2880 * 2880))
head -c $plane /dev/zero | overwrite masked.fits $(($(data_offset masked.fits) + plane + 2880))

# list NUMBER: its lines; what is made of frame i is fi.fits.
bad=("truncated.fits psf.fits" "empty.fits psf.fits" "image1.fits z.fits"
  "masked.fits psf.fits")
list() {
  local i
  echo input,psf,output
  for ((i = 1; i <= $1; ++i)); do
    if ((i % 20 == 0)); then
      read -r image psf <<<"${bad[i / 20 % 4]}"
    else
      image=image$((i % 3 + 1)).fits psf=psf.fits
    fi
    echo "$image,$psf,f$i.fits"
  done
}

# With room for one frame at a time, as how many are on their way is a matter of chance.
one_by_one() {  # WHAT FRAMES
  list "$2" >list.csv
  expect_exit 10 "$1" "${exposure[@]}" list.csv "${range[@]}" --memory 224 --readers 2
  rm f*.fits
}
one_by_one "a short night, one by one" 40
little=$(reported peak_memory_mb)
one_by_one "a night, one by one" 200
expect "memory does not grow: $(reported peak_memory_mb) after $little MB" \
  awk "BEGIN { exit !($(reported peak_memory_mb) < 1.1 * $little + 5) }"

expect_exit 10 "a night" "$specex" exposure list.csv "${range[@]}" --memory 400 \
  --readers 2 --timing report.json
expect_sentence "a night" "190 of 200 frames written, 2 degraded, 8 failed"
expect_reported "a night" good 190 degraded 2 failed 8 verified 0 waiting 0
expect "memory within its limit: $(reported peak_memory_mb) MB" \
  test "$(reported peak_memory_mb | cut -d. -f1)" -lt $((400 * ${SPECEX_TEST_SLOWDOWN:-1}))
declare -A right
for i in 1 2 3; do right[$i]=$(sums good$i.fits); done
for ((i = 1; i <= 200; ++i)); do
  ((i % 20 == 0)) || [ "$(sums f$i.fits)" = "${right[$((i % 3 + 1))]}" ] ||
    fail "f$i.fits is not right"
done
named() {  # WHAT LEVEL SAYS: how many frames, one line for each
  expect "$3: $1" test "$(grep -cE "^$2:.*: f[0-9]+\.fits .*$3" out.log)" = "$1"
}
named 3 ERROR "failed: .*empty.fits"
named 2 ERROR "failed: .*truncated.fits"
named 3 ERROR "failed: .*(PSF|covers|z.fits)"
named 2 WARNING "is degraded: no bin could be measured"
expect_no_temporaries "a night"
finish
