#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Fortran: the module's installed sources, compiled into the client by pkg-config's list
# and by CMake's.
#
#   test_fortran.sh PLACE SOURCE_DIR [FORTRAN_COMPILER]
. "$(dirname "$0")/client.sh"
[ $# -gt 0 ] || { echo "no Fortran compiler"; exit 77; }

client=$source/tests/bindings/fortran/client.f90
"$1" $(pkg-config --variable=fortran_sources specex) "$client" \
  $(pkg-config --libs specex) -o client
same ./client

mkdir project
cat >project/CMakeLists.txt <<CMAKE
cmake_minimum_required(VERSION 3.16)
project(client LANGUAGES Fortran)
find_package(Specex REQUIRED)
add_executable(client $client \${Specex_FORTRAN_SOURCES})
target_link_libraries(client PRIVATE specex::specex)
CMAKE
cmake_build project build
same build/client
