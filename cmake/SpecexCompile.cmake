# SPDX-License-Identifier: BSD-3-Clause
#
# specex_compile_options(target): what every target of the project is compiled with.
# specex_count_lines(target): instruments a part of the library for coverage.
# specex_compile_fortran(target): what the Fortran module and its tests are compiled with.
# specex_compile_quickly(target): for what is not hot. What includes CLI11 takes a minute a
# file with -O3 and seven seconds with -O1; with sanitizers it is -O0 that is quick.
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

function(specex_compile_options target)
  target_compile_features(${target} PRIVATE c_std_99 cxx_std_20)
  set_target_properties(${target} PROPERTIES
    C_EXTENSIONS OFF CXX_EXTENSIONS OFF
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  # A fused multiply-add rounds once where a product and a sum round twice: contraction
  # stays off, so that results do not depend on the instruction set compiled for.
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wconversion -Wshadow -ffp-contract=off
    # GCC 12 sees overlaps in std::string operator+ that are not there (GCC bug 105651).
    $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
    # What has to be unique in a process could not be made local to libspecex.a.
    $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fno-gnu-unique>
    $<$<BOOL:${SPECEX_WERROR}>:-Werror>)
  if(SPECEX_SANITIZE)
    list(JOIN SPECEX_SANITIZE "," sanitizers)
    target_compile_options(${target} PRIVATE
      -fsanitize=${sanitizers} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(${target} PRIVATE -fsanitize=${sanitizers})
  endif()
  if(SPECEX_COVERAGE)
    target_link_options(${target} PRIVATE --coverage)
  endif()
endfunction()

function(specex_count_lines target)
  if(SPECEX_COVERAGE)  # counted atomically: OpenMP threads share the counters
    target_compile_options(${target} PRIVATE --coverage -fprofile-update=atomic)
  endif()
endfunction()

function(specex_compile_quickly target)
  target_compile_options(${target} PRIVATE
    $<$<CONFIG:Release,RelWithDebInfo>:$<IF:$<BOOL:${SPECEX_SANITIZE}>,-O0,-O1>>)
endfunction()

function(specex_compile_fortran target)
  target_compile_options(${target} PRIVATE
    $<$<Fortran_COMPILER_ID:GNU>:-std=f2018 -Wall -Wextra -pedantic -Wimplicit-interface>
    $<$<AND:$<Fortran_COMPILER_ID:GNU>,$<BOOL:${SPECEX_WERROR}>>:-Werror>)
endfunction()
