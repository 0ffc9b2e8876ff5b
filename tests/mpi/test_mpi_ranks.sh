#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Any number of ranks makes of any number of frames the files that one process makes.
. "$(dirname "$0")/support.sh"
make_images 2
for i in 1 2; do
  expect "extract" "$specex" extract -i image$i.fits -p psf.fits "${range[@]}" -o good$i.fits
done

for frames in 0 1 5; do
  {
    echo input,psf,output
    for ((i = 1; i <= frames; ++i)); do echo "image$((i % 2 + 1)).fits,psf.fits,f$i.fits"; done
  } >list.csv
  for ranks in 1 2 3 5 7; do
    what="$frames frames, $ranks ranks"
    rm -f f?.fits
    expect_exit 0 "$what" "$mpiexec" -n $ranks "${mpi[@]}" list.csv "${range[@]}"
    expect_reported "$what" processes $ranks good $frames waiting 0
    for ((i = 1; i <= frames; ++i)); do
      expect_same "$what" f$i.fits good$((i % 2 + 1)).fits
    done
    expect_no_temporaries "$what"
  done
done
expect_exit 0 "resumed" "$mpiexec" -n 3 "${mpi[@]}" list.csv "${range[@]}" --num-devices 2
expect_reported "resumed" verified 5 good 0

# A frame that fails does not stop the others, wherever they are.
: >empty.fits
sed 's/image2.fits,psf.fits,f3/empty.fits,psf.fits,f3/' list.csv >failing.csv
sed -i 's/image1.fits,psf.fits,f4/image1.fits,missing.fits,f4/' failing.csv
rm -f f?.fits
expect_exit 10 "some fail" "$mpiexec" -n 3 "${mpi[@]}" failing.csv "${range[@]}"
expect "some fail" grep -q "specex-mpi: 3 of 5 frames written, 2 failed" err.log
expect "some fail" grep -q "f3.fits failed: .*empty.fits" out.log
expect_reported "some fail" good 3 failed 2
expect "some fail" test "$(echo f?.fits)" = "f1.fits f2.fits f5.fits"

# A list that is refused is refused by all, in one sentence.
echo input,psf,colour >refused.csv
echo a,b,c >>refused.csv
expect_exit 21 "a list that is refused" "$mpiexec" -n 3 "${mpi[@]}" refused.csv
expect "a list that is refused" test "$(grep -c "column 'colour'" err.log)" = 1
# GPUs, where there are some, are shared out in turn.
CUDA_VISIBLE_DEVICES=3,5 expect_exit 0 "devices" "$mpiexec" -n 3 "$specex_mpi" list.csv \
  "${range[@]}" --backend cpu
for own in "0 has GPU 3" "1 has GPU 5" "2 has GPU 3"; do
  expect "rank $own" grep -q "rank $own" out.log
done
CUDA_VISIBLE_DEVICES=3,5,7,9 expect_exit 0 "devices" "$mpiexec" -n 3 "$specex_mpi" \
  list.csv "${range[@]}" --backend cpu --device 1 --num-devices 2
for own in "0 has GPU 5" "1 has GPU 7" "2 has GPU 5"; do
  expect "rank $own" grep -q "rank $own" out.log
done
expect_exit 0 "help needs no MPI" "$specex_mpi" --help
finish
