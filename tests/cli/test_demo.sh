#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The demo goes all the way, and leaves what it says it leaves.
. "$(dirname "$0")/support.sh"

expect_exit 0 demo "$specex" demo there/folder
for file in psf-r0.fits preproc-r0.fits truth-r0.fits frame-r0.fits model-r0.fits demo.svg; do
  expect "$file is there" test -s "there/folder/$file"
  expect "$file is accounted for" grep -q "$file" out.log
done
expect "the errors are judged" grep -q "mean [+-]0\.00.*variance [01]\.[09]" out.log
expect "nothing else is said" test ! -s err.log

picture=there/folder/demo.svg
expect "the picture is SVG" grep -q '^<svg xmlns="http://www.w3.org/2000/svg"' "$picture"
expect "the picture is complete" grep -q '^</svg>$' "$picture"
expect "the picture is small" test "$(stat -c %s "$picture")" -lt 400000
expect "the picture has no bad number" test -z "$(grep -iE '(nan|inf)[" ]' "$picture")"

for file in psf preproc truth frame; do
  expect_exit 0 "info of $file" "$specex" info "there/folder/$file-r0.fits"
done

touch occupied
expect_exit 21 "a folder that is a file" "$specex" demo occupied
expect_sentence "a folder that is a file" "occupied"
finish
