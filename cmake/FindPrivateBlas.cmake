# SPDX-License-Identifier: BSD-3-Clause
#
# Finds LAPACKE and a BLAS that libspecex links into itself: a *serial, static* OpenBLAS
# (Debian and Ubuntu: libopenblas-serial-dev, liblapacke-dev). Serial, because OpenBLAS
# rounds differently with another thread count, and libspecex has its threads outside;
# static, because then no threaded BLAS of the process can take its place. Its work space
# comes from lib/kernels/shared/blas_buffers.cpp, through the linker's --wrap.
# Where there is none, LAPACKE and OpenBLAS as pkg-config knows them are taken, with a
# message. Defines the target PrivateBlas::PrivateBlas, which is PrivateBlas_link_options,
# PrivateBlas_archives (empty where it is not private) and PrivateBlas_libraries.
include(FindPackageHandleStandardArgs)

find_library(PrivateBlas_OPENBLAS NAMES libopenblas.a PATH_SUFFIXES openblas-serial)
find_library(PrivateBlas_LAPACKE NAMES liblapacke.a)
find_path(PrivateBlas_LAPACKE_INCLUDE_DIR lapacke.h PATH_SUFFIXES lapacke openblas)
find_path(PrivateBlas_CBLAS_INCLUDE_DIR cblas.h
  PATH_SUFFIXES openblas-serial ${CMAKE_LIBRARY_ARCHITECTURE}/openblas-serial openblas)

set(PrivateBlas_archives "")
set(PrivateBlas_libraries "")
set(PrivateBlas_link_options "")
if(PrivateBlas_OPENBLAS MATCHES "serial" AND PrivateBlas_LAPACKE)
  set(PrivateBlas_archives ${PrivateBlas_LAPACKE} ${PrivateBlas_OPENBLAS})
  set(PrivateBlas_libraries gfortran m)
  set(PrivateBlas_link_options  # -u: found in libspecex.a before OpenBLAS asks for it
    -Wl,--wrap=blas_memory_alloc -Wl,--wrap=blas_memory_free
    -Wl,-u,__wrap_blas_memory_alloc)
else()
  find_package(PkgConfig QUIET)
  pkg_check_modules(PrivateBlas_fallback QUIET openblas lapacke)
  if(PrivateBlas_fallback_FOUND)
    set(PrivateBlas_libraries ${PrivateBlas_fallback_LINK_LIBRARIES})
    message(STATUS "No serial static OpenBLAS: using ${PrivateBlas_libraries}. "
                   "Set OPENBLAS_NUM_THREADS=1 for results that do not vary.")
  endif()
endif()

find_package_handle_standard_args(PrivateBlas
  REQUIRED_VARS PrivateBlas_libraries PrivateBlas_LAPACKE_INCLUDE_DIR
                PrivateBlas_CBLAS_INCLUDE_DIR
  REASON_FAILURE_MESSAGE
    "Install libopenblas-serial-dev and liblapacke-dev, or OpenBLAS and LAPACKE.")

if(PrivateBlas_FOUND AND NOT TARGET PrivateBlas::PrivateBlas)
  add_library(PrivateBlas::PrivateBlas INTERFACE IMPORTED)
  target_link_libraries(PrivateBlas::PrivateBlas INTERFACE
    ${PrivateBlas_link_options} ${PrivateBlas_archives} ${PrivateBlas_libraries})
  target_include_directories(PrivateBlas::PrivateBlas INTERFACE
    ${PrivateBlas_CBLAS_INCLUDE_DIR} ${PrivateBlas_LAPACKE_INCLUDE_DIR})
endif()
mark_as_advanced(PrivateBlas_OPENBLAS PrivateBlas_LAPACKE
  PrivateBlas_LAPACKE_INCLUDE_DIR PrivateBlas_CBLAS_INCLUDE_DIR)
