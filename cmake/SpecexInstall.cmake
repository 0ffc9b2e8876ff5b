# SPDX-License-Identifier: BSD-3-Clause
#
# What `cmake --install` puts where. Everything finds its parts relative to itself, so
# that an installed tree may be moved.
include(CMakePackageConfigHelpers)

set(cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Specex)

install(TARGETS specex EXPORT SpecexTargets)
install(TARGETS specex_static EXPORT SpecexStaticTargets)
install(EXPORT SpecexTargets NAMESPACE specex:: DESTINATION ${cmake_dir})
install(EXPORT SpecexStaticTargets NAMESPACE specex:: DESTINATION ${cmake_dir})
install(DIRECTORY include/specex DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h")
# A .mod file is its compiler's alone: users compile the Fortran module with theirs. The
# sources are named in the order of their dependence.
set(fortran_dir ${CMAKE_INSTALL_DATADIR}/specex/fortran)
install(FILES ${SPECEX_FORTRAN_SOURCES} DESTINATION ${fortran_dir})
set(SPECEX_FORTRAN_NAMES ${SPECEX_FORTRAN_SOURCES})
list(TRANSFORM SPECEX_FORTRAN_NAMES REPLACE ".*/" "")

configure_package_config_file(pkgconfig/SpecexConfig.cmake.in SpecexConfig.cmake
  INSTALL_DESTINATION ${cmake_dir} PATH_VARS fortran_dir)
write_basic_package_version_file(SpecexConfigVersion.cmake
  COMPATIBILITY SameMajorVersion)
install(FILES
  ${CMAKE_CURRENT_BINARY_DIR}/SpecexConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/SpecexConfigVersion.cmake
  DESTINATION ${cmake_dir})

# pkg-config: what only a static link of libspecex needs is private. CFITSIO is a library
# there and not a requirement, because `pkg-config --static` would then ask for all that a
# static CFITSIO needs, which is curl and more.
set(pc_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH SPECEX_PC_PREFIX /prefix/${pc_dir} /prefix)
string(REGEX REPLACE "/$" "" SPECEX_PC_PREFIX ${SPECEX_PC_PREFIX})
set(SPECEX_PC_REQUIRES_PRIVATE "")
if(SPECEX_ENABLE_FITS)
  set(SPECEX_PC_REQUIRES_PRIVATE "libdeflate")
endif()
set(SPECEX_PC_LIBS_PRIVATE "")
foreach(library ${CFITSIO_LDFLAGS} ${SPECEX_STATIC_LIBRARIES})
  if(library MATCHES "^[^-/]")
    set(library -l${library})
  endif()
  string(APPEND SPECEX_PC_LIBS_PRIVATE " ${library}")
endforeach()
list(TRANSFORM SPECEX_FORTRAN_NAMES PREPEND "\${fortrandir}/"
     OUTPUT_VARIABLE SPECEX_PC_FORTRAN_SOURCES)
list(JOIN SPECEX_PC_FORTRAN_SOURCES " " SPECEX_PC_FORTRAN_SOURCES)
configure_file(pkgconfig/specex.pc.in specex.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/specex.pc DESTINATION ${pc_dir})

install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY bindings/c/examples DESTINATION ${CMAKE_INSTALL_DOCDIR})
if(TARGET specex_program)
  install(TARGETS specex_program)
  if(TARGET specex_mpi)
    install(TARGETS specex_mpi)
  endif()
  install(FILES docs/specex.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
endif()
