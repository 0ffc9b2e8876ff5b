#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# specex exposure makes of every frame what specex extract makes of it, whatever the list
# is like, and goes on when a frame fails.
. "$(dirname "$0")/support.sh"
make_images 2
gzip -k1 image2.fits
extract() { "$specex" extract -p psf.fits "${range[@]}" "$@"; }
expect "extract" extract -i image1.fits -o one.fits
expect "extract" extract -i image2.fits -o two.fits --float64 -s 1 -n 3 -m two-model.fits
expect "extract" extract -i image2.fits -o four.fits -w 6510,6530,0.8 --strict

# Lists: options of the command line, unless the list has others.
cat >list.csv <<'CSV'
input,psf,output,model,float64,specmin,nspec,strict,wavelength
image1.fits,psf.fits,a.fits,,,,,,
 image2.fits.gz , "psf.fits",b.fits,b-model.fits,true,1,3,false,
image1.fits,psf.fits,"odd ""name"", a[1].fits",,false,,,,""

image2.fits,psf.fits,d.fits.gz,,,,,true,"6510,6530,0.8"
CSV
cat >list.json <<'JSON'
[{"input": "image1.fits", "psf": "psf.fits", "output": "a.fits"},
 {"input": "image2.fits.gz", "psf": "psf.fits", "output": "b.fits",
  "model": "b-model.fits", "float64": true, "specmin": 1, "nspec": 3, "strict": false},
 {"input": "image1.fits", "psf": "psf.fits", "output": "odd \"name\", a[1].fits",
  "nspec": null},
 {"input": "image2.fits", "psf": "psf.fits", "output": "d.fits.gz", "strict": true,
  "wavelength": "6510,6530,0.8"}]
JSON
for list in list.csv list.json; do
  for shape in "" "--extractors 3 --readers 2 --writers 2 --threads 4" "--memory 1" \
    "--spot-memory 20M --threads 2 --extractors 2"; do
    rm -f a.fits b.fits b-model.fits odd*.fits d.fits.gz
    expect_exit 0 "$list $shape" "${exposure[@]}" $list "${range[@]}" $shape
    expect "$list: no message" test ! -s err.log
    expect_reported "$list $shape" good 4 verified 0 degraded 0 failed 0 waiting 0
    expect_same "$list $shape" a.fits one.fits
    expect_same "$list $shape" b.fits two.fits
    expect_same "$list $shape" b-model.fits two-model.fits
    expect_same "$list $shape" 'odd "name", a[1].fits' one.fits
    expect_same "$list $shape" d.fits.gz four.fits
  done
done
expect_no_temporaries "lists"
for name in total_s frames_per_hour read_s extract_s write_s peak_memory_mb frames; do
  expect "the report has $name" grep -q "\"$name\":" report.json
done

# The log: as that of extract, and how far it is.
rm -f a.fits
expect_exit 0 "log" "$specex" exposure list.csv "${range[@]}"
for line in "iotime [0-9.]* sec to read image1.fits at [0-9T:.-]*$" \
  "iotime [0-9.]* sec to write a.fits at [0-9T:.-]*$" \
  "a.fits extract-time: [0-9.]* sec for [0-9]* patches$" \
  "a.fits good, 4 of 4 frames, [0-9]* an hour, 0:00 left$|a.fits good, [1-3] of 4"; do
  expect "log: $line" grep -qE "^INFO:[a-z_]+\.cpp:[0-9]+:[a-z_]+: $line" out.log
done
if script -qec true /dev/null >/dev/null 2>&1; then
  rm -f a.fits
  expect "a bar on a terminal" script -qec \
    "'$specex' exposure list.csv ${range[*]} --backend reference" terminal.log
  expect "a bar on a terminal" grep -qE '\[#* *\] [0-4] of 4 frames' terminal.log
fi

# An empty list is done at once.
echo input,psf,output >none.csv
expect_exit 0 "no frames" "${exposure[@]}" none.csv
expect_reported "no frames" good 0 failed 0

# Frames that fail do not touch the others, and are named.
: >empty.fits
cat >failing.csv <<'CSV'
input,psf,output,specmin
image1.fits,psf.fits,g1.fits,
empty.fits,psf.fits,g2.fits,
missing.fits,psf.fits,g3.fits,
image1.fits,image1.fits,g4.fits,
image1.fits,psf.fits,g5.fits,7
image1.fits,psf.fits,no/g6.fits,
image1.fits,psf.fits,g7.fits,
CSV
expect_exit 10 "some fail" "$specex" exposure failing.csv "${range[@]}" --timing report.json
expect_sentence "some fail" "2 of 7 frames written, 5 failed"
expect_reported "some fail" good 2 failed 5
expect_same "some fail" g1.fits one.fits
expect_same "some fail" g7.fits one.fits
for reason in "g2.fits failed: .*empty.fits" "g3.fits failed: .*missing.fits" \
  "g4.fits failed: .*image1.fits" "g5.fits failed: .*fibres" "g6.fits failed: .*folder"; do
  expect "log of $reason" grep -qE "^ERROR:.*: $reason" out.log
done
expect "only good ones are there" test "$(echo g*.fits)" = "g1.fits g7.fits"
grep -v image1 failing.csv >all-fail.csv
expect_exit 20 "all fail" "${exposure[@]}" all-fail.csv
expect_sentence "all fail" "0 of 2 frames written, 2 failed"

# Lists that are refused before anything is done.
refused() {  # WHAT PATTERN, list on the standard input
  cat >refused.list
  rm -f x.fits
  expect_exit 21 "$1" "${exposure[@]}" refused.list "${range[@]}"
  expect_sentence "$1" "$2"
  expect "$1: nothing was done" test ! -e x.fits
}
good=image1.fits,psf.fits,x.fits
refused "empty" "line with the columns" </dev/null
refused "unknown column" "refused.list', line 2: the column 'colour'" \
  <<<$'input,psf,output,colour\n'"$good,red"
refused "column that is none of a frame" "the column 'threads'" \
  <<<$'input,psf,output,threads\n'"$good,2"
refused "missing column" "line 2: --output is required" <<<$'input,psf\nimage1.fits,psf.fits'
refused "no output" "line 2: --output is required" <<<$'input,psf,output\nimage1.fits,psf.fits,'
refused "short line" "line 3: 2 fields" <<<$'input,psf,output\n'"$good"$'\na,b'
refused "no number" "line 2: .*nspec" <<<$'input,psf,output,nspec\n'"$good,many"
refused "no wavelengths" "line 2: .*wavelength" <<<$'input,psf,output,wavelength\n'"$good,6"
refused "open quote" "line 2: a quote is not closed" <<<$'input,psf,output\n"image1'
refused "the same output" "same file" <<<$'input,psf,output\n'"$good"$'\n'"${good/x/./x}"
refused "an input is an output" "overwritten" \
  <<<$'input,psf,output\n'"$good"$'\nx.fits,psf.fits,y.fits'
refused "JSON that is none" "refused.list" <<<'[{"input": '
refused "JSON of another shape" "not an array" <<<'{"input": "image1.fits"}'
refused "a value that is none" "frame 1: a value" <<<'[{"input": ["image1.fits"]}]'
expect_exit 21 "no list" "${exposure[@]}"
expect_sentence "no list" "manifest"
expect_exit 21 "no such list" "${exposure[@]}" nowhere.csv
expect_sentence "no such list" "nowhere.csv"

# Folders as DESI's pipeline has them.
mkdir -p in/20240101/00000123 in/20240102/00000124 psfs/20240101/00000123 psfs/night
ln image1.fits in/20240101/00000123/preproc-r0-00000123.fits
ln image2.fits.gz in/20240101/00000123/preproc-r1-00000123.fits.gz
ln image1.fits in/20240102/00000124/preproc-r0-00000124.fits
ln image1.fits in/20240102/00000124/something-r0-00000124.fits
ln psf.fits psfs/psf-r0-20240101.fits
ln psf.fits psfs/20240101/00000123/psf-r1-00000123.fits
folders=(--preproc-dir in --psf-dir psfs --frame-dir out "${range[@]}")
expect_exit 0 "folders" "${exposure[@]}" "${folders[@]}"
expect_reported "folders" good 3
expect_same "folders" out/20240101/00000123/frame-r0-00000123.fits one.fits
expect_same "folders" out/20240102/00000124/frame-r0-00000124.fits one.fits
expect_exit 0 "folders, resumed" "${exposure[@]}" "${folders[@]}"
expect_reported "folders, resumed" good 0 verified 3
chosen() {  # WHAT NUMBER ARGUMENTS...
  local what=$1 number=$2
  shift 2
  expect_exit 0 "$what" "${exposure[@]}" "${folders[@]}" "$@"
  expect_reported "$what" verified "$number"
}
chosen "a night" 2 --night 20240101
chosen "an exposure" 1 --expid 124
chosen "two exposures" 3 --expid 123,124
chosen "a camera" 1 --cameras r1
chosen "a colour" 3 --cameras r,b2
expect_exit 0 "compressed" "${exposure[@]}" "${folders[@]}" --gzip --cameras r0 --night 20240101
expect_same "compressed" out/20240101/00000123/frame-r0-00000123.fits.gz one.fits
expect_exit 21 "nothing chosen" "${exposure[@]}" "${folders[@]}" --cameras b
expect_sentence "nothing chosen" "no preproc file"
expect_exit 21 "no folder" "${exposure[@]}" "${folders[@]/in/nowhere}"
rm psfs/20240101/00000123/psf-r1-00000123.fits
expect_exit 10 "a PSF is missing" "${exposure[@]}" "${folders[@]}" --no-resume
expect_reported "a PSF is missing" good 2 failed 1
finish
