#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Ranks that extract a frame together, each some bundles, make the bits that one process
# makes, whatever the options; a frame that fails in a group leaves the others alone.
. "$(dirname "$0")/support.sh"
make_images 1
# Bright pixels that the model cannot explain: the bins that meet them are flagged, which
# takes a look at all fibres.
width=470 row=1775
pixel() { echo $(($(data_offset "$1") + (row * width + $2) * 4)); }
unchecked image1.fits bright.fits
for ((x = 3; x < width; x += 40)); do
  printf '\x48\x74\x24\x00' | overwrite bright.fits "$(pixel bright.fits $x)"
done
unchecked image1.fits nan.fits
printf '\x7f\xc0\x00\x00' | overwrite nan.fits "$(pixel nan.fits 200)"

options=(--bundlesize=1 "--bundlesize=2 --specmin=1 --nspec=3" "--bundlesize=2 --float64"
  "--bundlesize=1 --compat=gpu_specter" "--bundlesize=2 --decorrelate=noise")
echo input,psf,output,bundlesize,specmin,nspec,float64,compat,decorrelate >list.csv
cat >>list.csv <<'LIST'
bright.fits,psf.fits,f0.fits,1,,,,,
bright.fits,psf.fits,f1.fits,2,1,3,,,
nan.fits,psf.fits,f2.fits,2,,,true,,
image1.fits,psf.fits,f3.fits,1,,,,gpu_specter,
image1.fits,psf.fits,f4.fits,2,,,,,noise
LIST
images=(bright bright nan image1 image1)
for i in {0..4}; do
  read -ra own <<<"${options[i]}"
  expect "extract" "$specex" extract -i "${images[i]}.fits" -p psf.fits "${range[@]}" \
    "${own[@]}" -o "good$i.fits"
done
expect "bins are flagged" \
  bash -c "'$specex' compare good0.fits good0.fits | grep 'mask bit 7 .*both [1-9]'"

for shape in "2 2" "3 2" "3 3" "5 2" "7 3" "7 7"; do
  read -r ranks group <<<"$shape"
  what="$ranks ranks, groups of $group"
  rm -f f?.fits
  expect_exit 0 "$what" "$mpiexec" -n "$ranks" "${mpi[@]}" list.csv "${range[@]}" \
    --group "$group"
  expect_reported "$what" processes "$ranks" good 5
  for i in {0..4}; do expect_same "$what" "f$i.fits" "good$i.fits"; done
  for key in SPXNPAT SPXNFAIL SPXNBAD SPXASKED; do
    expect "$what: $key" test "$(key f2.fits $key)" = "$(key good2.fits $key)"
  done
  expect_no_temporaries "$what"
done

# Nobody says how many: all ranks in the one frame. Its model makes it a frame of one rank.
sed -n 1,2p list.csv >one.csv
rm -f f?.fits
expect_exit 0 "a group by itself" "$mpiexec" -n 3 "${mpi[@]}" one.csv "${range[@]}"
expect_same "a group by itself" f0.fits good0.fits
sed '1s/$/,model/; 2s/$/,m0.fits/' one.csv >model.csv
"$specex" extract -i bright.fits -p psf.fits "${range[@]}" --bundlesize 1 -o model0.fits \
  -m model.fits >/dev/null || fail "a model"
rm f0.fits
expect_exit 0 "a model" "$mpiexec" -n 3 "$specex_mpi" model.csv "${range[@]}" --group 3
expect "a model" grep -q "model image is extracted by one rank" out.log
expect_same "a model" m0.fits model.fits

# What fails in a group.
: >empty.fits
sed 's/^image1.fits,psf.fits,f3/empty.fits,psf.fits,f3/
     s/^image1.fits,psf.fits,f4/image1.fits,missing.fits,f4/' list.csv >failing.csv
rm -f f?.fits
expect_exit 10 "some fail" "$mpiexec" -n 5 "${mpi[@]}" failing.csv "${range[@]}" \
  --group 3 --strict
expect_reported "some fail" good 2 failed 3
expect "some fail" grep -q "f2.fits failed: .*strict mode" out.log
expect "some fail" test "$(echo f?.fits)" = "f0.fits f1.fits"
# A machine that has no room for shared memory, where one can be made up.
if unshare -m mount -t tmpfs -o size=1M tmpfs /dev/shm 2>/dev/null; then
  expect_exit 75 "no shared memory" unshare -m bash -c \
    'mount -t tmpfs -o size=1M tmpfs /dev/shm && exec "$0" "$@"' \
    "$mpiexec" -n 2 "${mpi[@]}" one.csv "${range[@]}" --group 2 --no-resume
  expect "no shared memory" grep -q "no shared memory for a frame of .* MB" err.log
fi
expect_exit 21 "a group of what" "$specex_mpi" list.csv --group=-1
finish
