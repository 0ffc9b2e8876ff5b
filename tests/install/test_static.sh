#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# libspecex.a in a program that has all that it holds once more: functions of the same
# names, an OpenBLAS, CFITSIO. Neither gets in the other's way.
. "$(dirname "$0")/client.sh"

client=$prefix/share/doc/specex/examples/extract_files.c
here=$(dirname "$(realpath "$BASH_SOURCE")")
export LD_LIBRARY_PATH=

# Every C and Fortran function inside, defined by the program; calling one ends it. (Those
# of C++ are left out: libstdc++ itself would find them.)
nm "$libdir/libspecex.a" | awk 'NF == 3 && $2 == "t" { print $3 }' |
  grep -E '^[A-Za-z_][A-Za-z0-9_]*$' | grep -v '^_Z' | sort -u >names
for name in dgemm_ cblas_dgemm dsyevd_ LAPACKE_dsyevd_work blas_memory_alloc \
            __wrap_blas_memory_alloc; do
  grep -qx $name names || { echo "$name is not inside"; exit 1; }
done
{ echo 'void abort(void);'; sed 's/.*/void &(void) { abort(); }/' names; } >own.c
gcc -w -O0 -fno-builtin -c own.c
gcc -std=c99 "$client" own.o $(static_flags) -o own
same ./own

# The program's own OpenBLAS, shared and static, and CFITSIO are used beside it.
gcc -Dmain=client $(static_flags) -c "$client" -o client.o
for blas in -lopenblas "-l:libopenblas.a -lgfortran -lm"; do
  gcc client.o "$here/neighbours.c" $(pkg-config --cflags openblas cfitsio) \
    $(static_flags) $blas -lcfitsio -o neighbours
  same ./neighbours
done

# Its code can be part of a shared library.
gcc -shared -fPIC -Wl,-z,text -Wl,--no-undefined "$client" $(static_flags) -o plugin.so
