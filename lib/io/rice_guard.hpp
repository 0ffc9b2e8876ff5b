// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>

namespace specex::io {

// Whether a Rice-compressed tile (FITS standard 4.0, section 10.4.1) of so many pixels
// ends within its `size` bytes. CFITSIO's decoder does not look where they end.
bool rice_tile_is_complete(const uint8_t *bytes, size_t size, int64_t pixels,
                           int64_t block_size, int64_t bytes_per_pixel);

}  // namespace specex::io
