#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Whatever is wrong with its files, extract ends within a second with the right exit code
# and one sentence, leaves no output and lets an older one be.
. "$(dirname "$0")/support.sh"
make_inputs

# card KEY VALUE, text KEY VALUE, end: pieces of a FITS header; each is 80 characters.
card() { printf '%-8s= %20s%50s' "$1" "$2" ''; }
text() { printf "%-8s= '%-8s'%60s" "$1" "$2" ''; }
end() { printf '%-80s' END; }
# Pads the standard input to blocks of 2880 bytes.
padded() {
  cat >padded.tmp
  truncate -s "%2880" padded.tmp
  tr '\0' ' ' <padded.tmp
}

# try CODE WHAT PATTERN ARGUMENTS...: once with no output there, once with an older one.
try() {
  local code=$1 what=$2 pattern=$3 before seconds
  shift 3
  rm -f frame.fits model.fits
  before=$(ls -A)
  TIMEFORMAT='%U %S'
  # Processor time, which a busy machine does not change; a hang is caught by expect_exit.
  { time expect_exit "$code" "$what" "$specex" extract -o frame.fits -m model.fits \
    -w 6500,6600,0.8 "$@"; } 2>time.log
  expect_sentence "$what" "$pattern"
  seconds=$(awk '{ print ($1 + $2 < 1) }' time.log)
  expect "$what: within a second" test "$seconds" = 1
  expect "$what: nothing is left" test \
    "$(ls -A | grep -vE '^(out|err|time|command).log$')" = \
    "$(grep -vE '^(out|err|time|command).log$' <<<"$before")"
  echo older >frame.fits
  expect_exit "$code" "$what" "$specex" extract -o frame.fits -w 6500,6600,0.8 "$@"
  expect "$what: the older output is as it was" test "$(cat frame.fits)" = older
  rm -f frame.fits
}
bad_image() { try 20 "image: $1" "bad.fits.*$2|$2.*bad.fits" -i bad.fits -p psf.fits; }
bad_psf() { try 20 "PSF: $1" "bad.fits.*$2|$2.*bad.fits" -i image.fits -p bad.fits; }
bad_both() {
  bad_image "$@"
  bad_psf "$@"
}

expect_exit 0 "the inputs are good" \
  "$specex" extract -i image.fits -p psf.fits -o good.fits -w 6500,6600,0.8
expect "the inputs are good" test ! -s err.log

: >bad.fits
bad_both "empty" .
head -c 5000 image.fits >bad.fits
bad_image "truncated in its first data" .
head -c -2880 image.fits >bad.fits
bad_image "truncated in its last block" .
head -c 2880 psf.fits >bad.fits
bad_psf "truncated after its first header" .
head -c -1 psf.fits >bad.fits
bad_psf "truncated by a byte" .
rm bad.fits
mkdir bad.fits
bad_both "a directory" "director|regular|file"
rmdir bad.fits
mkfifo bad.fits
bad_both "a FIFO" "regular|file"
rm bad.fits
ln -s /dev/zero bad.fits
bad_both "a device" "regular|file"
rm bad.fits
head -c 10000 /dev/urandom >bad.fits
bad_both "noise" .
yes 'this is not FITS' | head -c 100000 >bad.fits
bad_both "text" .
{ card SIMPLE T; card BITPIX -32; card NAXIS 999; end; } | padded >bad.fits
bad_both "999 axes" .
{ card SIMPLE T; card BITPIX -32; card NAXIS 2; card NAXIS1 1099511627776
  card NAXIS2 1099511627776; end; } | padded >bad.fits
bad_both "2^40 x 2^40 pixels" .
{ card SIMPLE T; card BITPIX -32; card NAXIS 2; card NAXIS1 -5; card NAXIS2 5; end; } |
  padded >bad.fits
bad_both "a negative size" .

# Renamed HDUs; without their checksums, so that it is the names that are wrong.
unchecked() { sed 's/CHECKSUM=/CHECKSIM=/g; s/DATASUM =/DATASIM =/g'; }
unchecked <image.fits | sed "s/EXTNAME = 'IVAR /EXTNAME = 'OVAR /" >bad.fits
bad_image "no IVAR" "IVAR"
unchecked <image.fits | sed "s/EXTNAME = 'IMAGE /EXTNAME = 'SMAGE /" >bad.fits
bad_image "no IMAGE" "IMAGE"
unchecked <psf.fits | sed "s/EXTNAME = 'YTRACE /EXTNAME = 'ZTRACE /" >bad.fits
bad_psf "no YTRACE" "YTRACE"
cp psf.fits bad.fits
bad_image "a PSF" .
cp image.fits bad.fits
bad_psf "an image" .

# A bit of the data, and of a coefficient of the first trace.
header_bytes=$(($(grep -abo 'END  *' psf.fits | head -1 | cut -d: -f1) / 2880 * 2880 + 2880))
unchecked <psf.fits >bad.fits
printf '\177\370\0\0\0\0\0\0' |
  dd of=bad.fits bs=1 seek="$header_bytes" conv=notrunc status=none
bad_psf "a coefficient is not a number" .
cp psf.fits bad.fits
printf '\177' | dd of=bad.fits bs=1 seek=$((header_bytes + 12)) conv=notrunc status=none
bad_psf "does not match its checksum" "checksum|datasum"
cp image.fits bad.fits
printf '\1' | dd of=bad.fits bs=1 seek=1000001 conv=notrunc status=none
bad_image "does not match its checksum" "checksum|datasum"

# Right files that do not go together, and wrong wishes.
"$specex" make-psf --camera r --nspec 30 -o wide-psf.fits
try "20|21" "PSF of another CCD" "pixels|CCD|size" -i image.fits -p wide-psf.fits
try 21 "wavelengths outside the PSF" "wavelength|Angstrom" -i image.fits -p psf.fits \
  -w 9000,9100,0.8
try 21 "fibres outside the PSF" "fib" -i image.fits -p psf.fits -s 3 -n 4
try 21 "first fibre outside the PSF" "fib" -i image.fits -p psf.fits -s 5
try 21 "no fibres" "fib" -i image.fits -p psf.fits -n 0
try 21 "negative first fibre" "fib" -i image.fits -p psf.fits -s -1
try 21 "a bundle of no fibres" "bundlesize" -i image.fits -p psf.fits --bundlesize 0
try 21 "missing FIBERMAP file" "none.fits" -i image.fits -p psf.fits -f none.fits
try 20 "FIBERMAP file without one" "FIBERMAP" -i image.fits -p psf.fits -f psf.fits

# Outputs that cannot be.
expect_exit 75 "no such folder" "$specex" extract -i image.fits -p psf.fits -o no/f.fits
expect_sentence "no such folder" "no/f.fits"
mkdir folder.fits
expect_exit 75 "a folder" "$specex" extract -i image.fits -p psf.fits -o folder.fits
expect_sentence "a folder" "folder.fits"
expect_exit 21 "its own input" "$specex" extract -i image.fits -p psf.fits -o image.fits
expect_sentence "its own input" "image.fits"
expect_exit 21 "twice the same" \
  "$specex" extract -i image.fits -p psf.fits -o f.fits -m f.fits
expect_sentence "twice the same" "same file"
expect_exit 21 "times over the frame" \
  "$specex" extract -i image.fits -p psf.fits -o f.fits --timing ./f.fits
expect_exit 21 "times over the PSF" \
  "$specex" extract -i image.fits -p psf.fits -o f.fits --timing psf.fits
expect_exit 75 "JSON nowhere" \
  "$specex" extract -i image.fits -p psf.fits -o f.fits --timing no/t.json
expect_sentence "JSON nowhere" "no/t.json"

# A full disk, found out before the work (.fits) and while writing (.fits.gz); and a limit
# on the size of files.
limited=(bash -c 'ulimit -f 20 && GCOV_PREFIX=$PWD/counts GCOV_ERROR_FILE=/dev/null exec "$@"'
         limited)  # whose line counts, if the build keeps some, do not fit either
for name in f.fits f.fits.gz; do
  echo older >$name
  expect_exit 75 "limited $name" "${limited[@]}" "$specex" extract -i image.fits -p psf.fits -o $name
  expect_sentence "limited $name" "$name"
  expect "limited $name: the older output is as it was" test "$(cat $name)" = older
  expect "limited $name: nothing else is left" test "$(find . -name '*f.fits*' ! -name '*psf.fits')" = "./$name"
  rm $name
done
if unshare -rm true 2>/dev/null; then
  mkdir disk
  for name in f.fits f.fits.gz; do
    expect_exit 75 "full disk, $name" unshare -rm bash -c "
      mount -t tmpfs -o size=32k tmpfs disk && echo older >disk/$name || exit 1
      '$specex' extract -i image.fits -p psf.fits -o disk/$name; code=\$?
      [ \"\$(ls -A disk)\" = $name ] && [ \"\$(cat disk/$name)\" = older ] || exit 1
      exit \$code"
    expect_sentence "full disk, $name" "$name"
  done
  expect_exit 75 "read-only disk" unshare -rm bash -c "
    mount -t tmpfs -o ro tmpfs disk &&
    exec '$specex' extract -i image.fits -p psf.fits -o disk/f.fits"
  expect_sentence "read-only disk" "disk/f.fits"
else
  echo "not run, as no disk can be mounted here: full and read-only disks"
fi
finish
