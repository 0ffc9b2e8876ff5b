# SPDX-License-Identifier: BSD-3-Clause
#
# BinaryBuilder recipe of libspecex: `julia build_tarballs.jl` in this folder builds the
# library of this checkout. OpenBLAS is built serial and static, to be linked into it, as
# docs/architecture.md asks for.
using BinaryBuilder

name = "libspecex"
version = v"0.1.0"

sources = [
    DirectorySource(joinpath(@__DIR__, "..", ".."); target = "libspecex"),
    ArchiveSource(
        "https://github.com/OpenMathLib/OpenBLAS/releases/download/" *
        "v0.3.21/OpenBLAS-0.3.21.tar.gz",
        "f36ba3d7a60e7c8bcc54cd9aaa9b1223dd42eaf02c811791c37e8ca707c241ca"),
]

script = raw"""
blas=${WORKSPACE}/openblas-serial
target_cpu=GENERIC
[[ ${target} == x86_64-* ]] && target_cpu=PRESCOTT
[[ ${target} == aarch64-* ]] && target_cpu=ARMV8
cd ${WORKSPACE}/srcdir/OpenBLAS-*
options=(USE_THREAD=0 USE_OPENMP=0 NO_SHARED=1 DYNAMIC_ARCH=1 TARGET=${target_cpu}
         HOSTCC=${HOSTCC} CROSS=1 CROSS_SUFFIX=${target}- PREFIX=${blas})
make -j${nproc} "${options[@]}" libs netlib
make "${options[@]}" install

cd ${WORKSPACE}/srcdir/libspecex
cmake -S . -B build-${target} -G Ninja \
    -DCMAKE_INSTALL_PREFIX=${prefix} -DCMAKE_TOOLCHAIN_FILE=${CMAKE_TARGET_TOOLCHAIN} \
    -DCMAKE_BUILD_TYPE=Release -DSPECEX_BUILD_TESTS=OFF -DSPECEX_BUILD_PROGRAMS=OFF \
    -DPrivateBlas_OPENBLAS=${blas}/lib/libopenblas.a \
    -DPrivateBlas_LAPACKE=${blas}/lib/libopenblas.a \
    -DPrivateBlas_LAPACKE_INCLUDE_DIR=${blas}/include \
    -DPrivateBlas_CBLAS_INCLUDE_DIR=${blas}/include
cmake --build build-${target} --parallel ${nproc}
cmake --install build-${target}
install_license LICENSE
"""

# The library is written for Linux; symbols are hidden by GNU linker scripts.
platforms = [
    Platform("x86_64", "linux"; libc = "glibc"),
    Platform("aarch64", "linux"; libc = "glibc"),
]
platforms = expand_gfortran_versions(expand_cxxstring_abis(platforms))
filter!(platform -> platform["cxxstring_abi"] == "cxx11" &&
                    platform["libgfortran_version"] == "5.0.0", platforms)

products = [LibraryProduct("libspecex", :libspecex)]

dependencies = [
    Dependency("CompilerSupportLibraries_jll"),
    Dependency("CFITSIO_jll"),
    Dependency("libdeflate_jll"),
    HostBuildDependency("CMake_jll"),
]

build_tarballs(ARGS, name, version, sources, script, platforms, products, dependencies;
               julia_compat = "1.6", preferred_gcc_version = v"11")
