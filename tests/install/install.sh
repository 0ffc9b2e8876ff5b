#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Installs into a prefix, once more through DESTDIR, and moves it: PLACE/prefix holds all
# that users need and shows them nothing else. PLACE has a case for clients, and what the
# installed program extracts from it.
#
#   install.sh PLACE BUILD_DIR
set -euo pipefail

place=$1 build=$2
rm -rf "$place"
mkdir -p "$place"
cmake --install "$build" --prefix "$place/opt/specex" >"$place/log"
DESTDIR=$place/stage cmake --install "$build" --prefix /opt/specex >"$place/log"
diff -r "$place/opt/specex" "$place/stage/opt/specex"  # no prefix is written down
mv "$place/opt/specex" "$place/prefix"
rm -r "$place/opt" "$place/stage"
cd "$place/prefix"

echo "-- every file for users"
ls include/specex/specex.h include/specex/fits.h share/doc/specex/LICENSE \
  share/doc/specex/examples/extract_arrays.c
if grep -rlIF -e "$build" -e "$place" .; then
  echo "these name folders of the build"
  exit 1
fi

echo "-- the libraries show the API alone"
shared=$(find . -name libspecex.so) static=$(find . -name libspecex.a)
strangers() { awk 'NF > 2 && $2 != "A" && $3 !~ /^specex_/ { print $3 }'; }
[ -z "$(nm -D --defined-only "$shared" | strangers)" ]
nm -D --defined-only "$shared" | grep ' T specex_extract_frame@@SPECEX_0$' >/dev/null
readelf -d "$shared" | grep 'SONAME.*\[libspecex\.so\.0\]' >/dev/null
if readelf -d "$shared" | grep -E 'NEEDED.*(blas|lapack)'; then
  echo "a BLAS of the process could take the place of the private one"
  exit 1
fi
nm -g --defined-only "$static" | grep ' T specex_extract_frame$' >/dev/null
if ! grep blas "$(dirname "$shared")/pkgconfig/specex.pc" >/dev/null; then
  [ -z "$(nm -g --defined-only "$static" | strangers)" ]
fi

[ -x bin/specex ] || exit 0
echo "-- the program, and a case for clients"
ls share/man/man1/specex.1
cd "$place"
prefix/bin/specex --version
prefix/bin/specex make-psf --camera r --nspec 5 -o psf.fits
prefix/bin/specex simulate -p psf.fits -o preproc.fits --seed 1
prefix/bin/specex extract -p psf.fits -i preproc.fits -o frame.fits \
  -w 6000,6100,0.8 -s 1 -n 3
