#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# C++ with CMake: the installed examples and that of docs/c.md, shared and static.
. "$(dirname "$0")/client.sh"

cp -r "$prefix/share/doc/specex/examples" examples
strict='-Wall -Wextra -pedantic -Werror'
for static in OFF ON; do
  cmake_build examples build-$static -DEXAMPLES_STATIC=$static \
    -DCMAKE_C_FLAGS="$strict" -DCMAKE_CXX_FLAGS="$strict"
  LD_LIBRARY_PATH= same build-$static/extract_files_cpp
done

example cpp docs/c.md >page.cpp
for compiler in g++ clang++; do
  command -v $compiler >/dev/null || continue
  $compiler -std=c++11 $strict page.cpp $(pkg-config --cflags --libs specex) -o page
  ./page | grep -F '6000.00'
  rm frame.fits
  $compiler -std=c++11 $strict examples/extract_files.cpp \
    $(pkg-config --cflags --libs specex) -o extract_files
  same ./extract_files
done
if ./extract_files missing.fits preproc.fits x.fits 6000 6100 1 0 1 2>message; then
  exit 1
fi
grep -q "^SPECEX_ERROR_IO: cannot open 'missing.fits'" message
