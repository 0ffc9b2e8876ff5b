#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Julia: the package, with the installed library.
#
#   test_julia.sh PLACE SOURCE_DIR [JULIA]
. "$(dirname "$0")/client.sh"
[ -x "${1:-}" ] || { echo "no Julia was found"; exit 77; }

export LIBSPECEX_LIBRARY=$libdir/libspecex.so
export JULIA_DEPOT_PATH=$work/depot JULIA_LOAD_PATH=$source/bindings/julia:@stdlib
same "$1" --startup-file=no "$source/tests/bindings/julia/client.jl"
