# SPDX-License-Identifier: BSD-3-Clause
#
# What the tests of clients have in common. Each is a script test_LANGUAGE.sh PLACE
# SOURCE_DIR [ARGUMENT...] that sources this and then is in an empty folder, where
# pkg-config and the loader find the moved prefix; psf.fits and preproc.fits are there.
set -euo pipefail

place=$1 source=$2 prefix=$1/prefix
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cp "$place/psf.fits" "$place/preproc.fits" .

libdir=$(dirname "$(find "$prefix" -name libspecex.so)")
export PKG_CONFIG_PATH=$libdir/pkgconfig LD_LIBRARY_PATH=$libdir PATH=$prefix/bin:$PATH
unset DESTDIR

# The flags that docs/static-linking.md tells.
static_flags() {
  pkg-config --static --cflags --libs specex | sed 's/-lspecex/-l:libspecex.a/'
}

# example LANGUAGE PAGE: the example that a page of the documentation has.
example() { sed -n "/^\`\`\`$1\$/,/^\`\`\`\$/{/^\`\`\`/d;p}" "$source/$2"; }

# same COMMAND...: a client writes the bits that the program specex wrote.
same() {
  echo "-- $*"
  rm -f client.fits
  "$@" psf.fits preproc.fits client.fits 6000 6100 0.8 1 3
  specex compare client.fits "$place/frame.fits" --max-pull 0 --max-ivar 0 \
    --max-resolution 0 --max-chi2pix 0 --max-pixmask-difference 0 >differences ||
    { cat differences; return 1; }
}

# cmake_build SOURCE_DIR BUILD_DIR [OPTION...]
cmake_build() {
  local from=$1 to=$2
  shift 2
  { cmake -S "$from" -B "$to" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" "$@" &&
    cmake --build "$to"; } >cmake.log 2>&1 || { cat cmake.log; return 1; }
}
