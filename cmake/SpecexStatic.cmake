# SPDX-License-Identifier: BSD-3-Clause
#
# libspecex.a keeps its BLAS to itself, as libspecex.so does: it is one object, linked
# with the private BLAS beforehand, in which all symbols but those of the API are local.
# Where there is no private BLAS, or a linker that cannot do this, it is a plain archive,
# and who uses it links the BLAS, too. SPECEX_STATIC_LIBRARIES, which CMake and pkg-config
# tell users to link, are names, so that C and Fortran projects need no C++ for them.
include(CheckLinkerFlag)
# It makes the inline functions of C++, which many objects share, parts of this one.
check_linker_flag(CXX -Wl,--force-group-allocation SPECEX_LINKS_OBJECTS)

set(objects $<TARGET_OBJECTS:specex_objects> ${SPECEX_KERNELS} ${SPECEX_CUDA_OBJECTS})
set(SPECEX_STATIC_LIBRARIES ${PrivateBlas_libraries} ${OpenMP_CXX_LIB_NAMES} stdc++ m)
if(PrivateBlas_archives AND SPECEX_LINKS_OBJECTS AND CMAKE_OBJCOPY)
  set(SPECEX_STATIC_SHOWS_BLAS OFF)
  file(STRINGS ${exports_map} exported REGEX "specex_")
  string(REGEX MATCH "specex_[a-z_*]*" exported "${exported}")
  set(whole ${CMAKE_CURRENT_BINARY_DIR}/specex_with_blas.o)
  add_custom_command(OUTPUT ${whole}
    COMMAND ${CMAKE_CXX_COMPILER} -r -nostdlib -Wl,--force-group-allocation
            ${PrivateBlas_link_options} -o ${whole} ${objects} ${PrivateBlas_archives}
            ${SPECEX_CUDA_ARCHIVES}
    COMMAND ${CMAKE_OBJCOPY} --wildcard --keep-global-symbol=${exported} ${whole}
    DEPENDS ${objects} ${exports_map} COMMAND_EXPAND_LISTS VERBATIM)
  set(objects ${whole})
else()
  set(SPECEX_STATIC_SHOWS_BLAS ON)
  list(PREPEND SPECEX_STATIC_LIBRARIES
       ${PrivateBlas_link_options} ${PrivateBlas_archives})
  message(STATUS "libspecex.a will be a plain archive, to be linked with a BLAS")
endif()

add_library(specex_static STATIC ${objects})
add_library(specex::specex_static ALIAS specex_static)
set_target_properties(specex_static PROPERTIES OUTPUT_NAME specex LINKER_LANGUAGE CXX)
target_include_directories(specex_static INTERFACE
  $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(specex_static INTERFACE
  ${fits_libraries} ${SPECEX_STATIC_LIBRARIES})
