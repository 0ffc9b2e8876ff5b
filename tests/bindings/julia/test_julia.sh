#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The package's own tests, by Pkg.test, with the library that was just built and nothing
# from any network: its only dependencies come with Julia.
#
#   test_julia.sh JULIA LIBRARY SOURCE_DIR
set -euo pipefail

julia=$1 source=$3
[ -x "$julia" ] || { echo "no Julia was found"; exit 77; }
export LIBSPECEX_LIBRARY=$2 SPECEX_ABI_MANIFEST=$source/tests/abi/manifest.txt
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Pkg resolves dependencies, even those alone that come with Julia, only where there is a
# registry to ask: an empty one.
export JULIA_DEPOT_PATH=$work/depot JULIA_PKG_SERVER=
mkdir -p "$work/depot/registries/Empty"
cat >"$work/depot/registries/Empty/Registry.toml" <<'TOML'
name = "Empty"
uuid = "9f8cc4c7-3d5a-4c2b-9b0e-6f1a6e6d8c11"
repo = "nowhere"

[packages]
TOML

cp -r "$source/bindings/julia" "$work/LibSpecex"  # Pkg writes beside Project.toml
JULIA_NUM_THREADS=2 "$julia" --startup-file=no --project="$work/LibSpecex" -e '
  using Pkg
  Pkg.offline()
  Pkg.test()'
