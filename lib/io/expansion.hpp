// SPDX-License-Identifier: BSD-3-Clause
//
// What a compressed file may expand to, so that a few bytes cannot ask for all memory.
#pragma once

#include <algorithm>
#include <cstddef>

namespace specex::io {

// 64 times the compressed size; any file may expand to 256 MiB, which a CCD image of
// zeros needs.
inline size_t largest_expansion(size_t compressed_size) {
  constexpr size_t always_allowed = size_t{256} << 20;
  return std::max(64 * compressed_size, always_allowed);
}

}  // namespace specex::io
