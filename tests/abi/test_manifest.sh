#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The binary interface is what tests/abi/manifest.txt says: layout and numbers of the
# headers, and the library exports every function that they declare and nothing else. The
# packages of other languages have the version of the headers.
#
#   test_manifest.sh SOURCE_DIR LIBRARY
set -euo pipefail

source=$1 library=$2
manifest=$source/tests/abi/manifest.txt
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for compiler in gcc clang; do
  command -v $compiler >/dev/null || continue
  echo "-- headers as $compiler lays them out"
  CC=$compiler "$source/scripts/update-abi" --print >"$work/$compiler"
  diff "$manifest" "$work/$compiler" ||
    { echo "scripts/update-abi says what may change"; exit 1; }
done

echo "-- exported symbols"
sed -n 's/^symbol //p' "$manifest" | sort >"$work/declared"
nm -D --defined-only "$library" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' |
  sort >"$work/exported"
diff "$work/declared" "$work/exported"
[ "$(wc -l <"$work/declared")" -ge 33 ]  # as many as 0.1.0 has

echo "-- every constant of the headers is listed"
grep -ohE '\bSPECEX_[A-Z0-9_]+ = -?[0-9]+' "$source"/include/specex/*.h |
  sed 's/\(.*\) = /value \1 /' | sort >"$work/constants"
grep '^value ' "$manifest" | sort | diff "$work/constants" -

echo "-- the packages have the version of the headers"
version=$(sed -nE 's/^#define SPECEX_VERSION_[A-Z]+ //p' "$source/include/specex/specex.h" | paste -sd.)
for package in fortran/fpm.toml julia/Project.toml; do
  grep -qx "version = \"$version\"" "$source/bindings/$package" ||
    { echo "bindings/$package has not $version"; exit 1; }
done
grep -qx "version = v\"$version\"" "$source/bindings/julia/build_tarballs.jl" ||
  { echo "bindings/julia/build_tarballs.jl has not $version"; exit 1; }
