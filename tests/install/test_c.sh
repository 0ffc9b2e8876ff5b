#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# C: the installed examples, and those of README.md and docs/c.md, as strict compilers see
# them; libspecex.a by pkg-config, and in a CMake project that knows C alone.
. "$(dirname "$0")/client.sh"

examples=$prefix/share/doc/specex/examples
example c README.md >readme.c
example c docs/c.md >page.c

for compiler in gcc clang; do
  command -v $compiler >/dev/null || continue
  echo "-- $compiler"
  for name in "$examples"/*.c readme.c page.c; do
    $compiler -std=c99 -Wall -Wextra -pedantic -Werror "$name" \
      $(pkg-config --cflags --libs specex) -o "$(basename "$name" .c)"
  done
  ./extract_arrays | tee arrays
  grep -q '^fibre 1: 200\.00 ' arrays
  same ./extract_files
done

echo "-- examples of the pages"
./readme psf.fits preproc.fits readme.fits
./page | grep -F '6000.00'
specex compare readme.fits frame.fits --max-pull 0

echo "-- patches, stopped after the second"
./extract_patches psf.fits preproc.fits 6000 6100 0.8 | tee all
[ "$(grep -c SPECEX_OK all)" -eq 3 ]
rc=0
./extract_patches psf.fits preproc.fits 6000 6100 0.8 2 >some || rc=$?
[ $rc -eq 2 ]
grep -q '^stopped: ' some
grep -q '^fibres .* SPECEX_CANCELLED' some

echo "-- an error has its sentence"
if ./extract_patches missing.fits preproc.fits 6000 6100 0.8 2>message; then exit 1; fi
grep -q "^SPECEX_ERROR_IO: cannot open 'missing.fits'" message

gcc -std=c99 "$examples/extract_files.c" $(static_flags) -o extract_static
LD_LIBRARY_PATH= same ./extract_static

mkdir project
cat >project/CMakeLists.txt <<CMAKE
cmake_minimum_required(VERSION 3.16)
project(client LANGUAGES C)
find_package(Specex REQUIRED COMPONENTS static)
add_executable(client $examples/extract_files.c)
target_link_libraries(client PRIVATE specex::specex_static)
CMAKE
cmake_build project build
LD_LIBRARY_PATH= same build/client
