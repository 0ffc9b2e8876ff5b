// SPDX-License-Identifier: BSD-3-Clause
//
// Where the arrays of a caller's image or frame are: image.memory, frame.memory.
#pragma once

#include <specex/specex.h>

#include "base/error.hpp"

namespace specex {

inline void check_memory(const char *name, int32_t memory) {
  if (memory != SPECEX_MEMORY_HOST && memory != SPECEX_MEMORY_DEVICE)
    fail(SPECEX_ERROR_ARGUMENT,
         "%s.memory is %d; it must be SPECEX_MEMORY_HOST or SPECEX_MEMORY_DEVICE", name,
         memory);
}

// For functions that never compute on a GPU.
inline void check_host_memory(const char *name, int32_t memory) {
  check_memory(name, memory);
  if (memory != SPECEX_MEMORY_HOST)
    fail(SPECEX_ERROR_ARGUMENT,
         "%s.memory is SPECEX_MEMORY_DEVICE; this function takes host memory alone",
         name);
}

}  // namespace specex
