# SPDX-License-Identifier: BSD-3-Clause
#
# The CUDA backend: its objects, or those that say that this build has none, in
# SPECEX_CUDA_OBJECTS; in SPECEX_CUDA_LIBRARIES the runtime, which is linked statically and
# loads the driver when it is first used.
add_library(specex_without_cuda OBJECT lib/kernels/cuda/without_cuda.cpp)
specex_compile_options(specex_without_cuda)
target_include_directories(specex_without_cuda PRIVATE include lib)
set_target_properties(specex_without_cuda PROPERTIES POSITION_INDEPENDENT_CODE ON)
set(SPECEX_CUDA_OBJECTS $<TARGET_OBJECTS:specex_without_cuda>)
set(SPECEX_CUDA_LIBRARIES)
set(SPECEX_CUDA_ARCHIVES)
if(NOT SPECEX_ENABLE_CUDA)
  return()
endif()
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
  # A100 and H100/H200; what follows compiles the PTX of the last.
  set(CMAKE_CUDA_ARCHITECTURES 80-real 90)
endif()
include(CheckLanguage)
check_language(CUDA)
if(NOT CMAKE_CUDA_COMPILER)
  if(NOT SPECEX_ENABLE_CUDA STREQUAL "AUTO")
    message(FATAL_ERROR "SPECEX_ENABLE_CUDA is ${SPECEX_ENABLE_CUDA}, but there is no "
                        "CUDA compiler: set CMAKE_CUDA_COMPILER or CUDACXX to nvcc")
  endif()
  message(STATUS "There is no CUDA compiler: libspecex is built without the CUDA backend")
  return()
endif()
enable_language(CUDA)
find_package(CUDAToolkit REQUIRED)
add_library(specex_cuda OBJECT lib/kernels/cuda/cuda_backend.cu)
target_include_directories(specex_cuda PRIVATE include lib)
target_compile_definitions(specex_cuda PRIVATE SPECEX_NVTX=$<BOOL:${SPECEX_NVTX}>)
target_compile_options(specex_cuda PRIVATE
  # CMake 3.25 does not know what nvcc 13 can do.
  -std=c++20 --expt-relaxed-constexpr -Xcompiler=-Wall,-Wextra,-Wno-unknown-pragmas,-fno-gnu-unique)
set_target_properties(specex_cuda PROPERTIES
  POSITION_INDEPENDENT_CODE ON CUDA_VISIBILITY_PRESET hidden
  VISIBILITY_INLINES_HIDDEN ON CUDA_RUNTIME_LIBRARY Static)
set(SPECEX_CUDA_OBJECTS $<TARGET_OBJECTS:specex_cuda>)
set(SPECEX_CUDA_LIBRARIES CUDA::cudart_static)
set(SPECEX_CUDA_ARCHIVES ${CUDA_cudart_static_LIBRARY})
