#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# An installed and moved libspecex works for its users: by pkg-config and by CMake, shared
# and static, from C and from C++; it shows its own symbols and nobody else's.
#
#   test_install.sh BUILD_DIR SOURCE_DIR
set -euo pipefail

build=$1 source=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

DESTDIR=$work/stage cmake --install "$build" --prefix /opt/specex >"$work/install.log"
mv "$work/stage/opt/specex" "$work/moved"
rm -r "$work/stage"
library=$(find "$work/moved" -name libspecex.so)
libdir=$(dirname "$library")
export PKG_CONFIG_PATH=$libdir/pkgconfig LD_LIBRARY_PATH=$libdir
unset DESTDIR

echo "-- exported symbols"
foreign=$(nm -D --defined-only "$library" | awk '$2 != "A" { print $3 }' | grep -v '^specex_' || true)
[ -z "$foreign" ] || { echo "exports also: $foreign"; exit 1; }
nm -D --defined-only "$library" | grep -q ' specex_extract_frame'
readelf -d "$library" | grep -q 'SONAME.*\[libspecex\.so\.[0-9]*\]'
if readelf -d "$library" | grep -E 'NEEDED.*(blas|lapack)'; then
  echo "a BLAS of the process could take the place of the private one"
  exit 1
fi

cat >"$work/user.c" <<'C'
#include <specex/fits.h>
#include <specex/specex.h>
#include <stdio.h>
int main(void) {
  specex_context *context = NULL;
  specex_status status = specex_create(NULL, &context);
  printf("specex %s: %s\n", specex_version(), specex_status_name(status));
  specex_destroy(context);
  return status != SPECEX_OK;
}
C
cp "$work/user.c" "$work/user.cpp"

echo "-- pkg-config, shared"
gcc -std=c99 "$work/user.c" $(pkg-config --cflags --libs specex) -o "$work/shared"
"$work/shared"
[ "$(pkg-config --modversion specex)" = "$("$work/shared" | sed 's/specex \(.*\):.*/\1/')" ]

echo "-- pkg-config, static"
gcc -std=c99 "$work/user.c" $(pkg-config --cflags specex) "$libdir/libspecex.a" \
  $(pkg-config --static --libs specex | sed 's/-lspecex//') -o "$work/static"
env -u LD_LIBRARY_PATH "$work/static"

echo "-- CMake, shared and static"
cat >"$work/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.25)
project(user LANGUAGES C CXX)
find_package(Specex REQUIRED COMPONENTS static)
add_executable(user_shared user.cpp)
target_link_libraries(user_shared PRIVATE specex::specex)
add_executable(user_static user.cpp)
target_link_libraries(user_static PRIVATE specex::specex_static)
CMAKE
cmake -S "$work" -B "$work/build" -G Ninja -DCMAKE_PREFIX_PATH="$work/moved" \
  >"$work/cmake.log" || { cat "$work/cmake.log"; exit 1; }
cmake --build "$work/build" >"$work/cmake.log" || { cat "$work/cmake.log"; exit 1; }
"$work/build/user_shared"
"$work/build/user_static"

echo "-- the example of README.md"
sed -n '/^```c$/,/^```$/{/^```/d;p}' "$source/README.md" >"$work/example.c"
gcc -std=c99 -Wall -Wextra -Werror "$work/example.c" $(pkg-config --cflags --libs specex) \
  -o "$work/example"
program=$work/moved/bin/specex
if [ -x "$program" ]; then
  "$program" --version
  cd "$work"
  "$program" make-psf --camera r --nspec 5 -o psf.fits
  "$program" simulate -p psf.fits -o preproc.fits --seed 1
  ./example psf.fits preproc.fits frame.fits
  [ -s frame.fits ]
fi
