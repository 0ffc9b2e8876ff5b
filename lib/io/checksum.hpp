// SPDX-License-Identifier: BSD-3-Clause
//
// The ones' complement sums of the FITS checksum convention (FITS standard 4.0, appendix
// J).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "io/fits_guard.hpp"

namespace specex::io {

// Of big-endian 32-bit words; `size` is a multiple of 4.
uint32_t ones_complement_sum(const uint8_t *bytes, size_t size);
uint32_t ones_complement_sum(const uint8_t *bytes, size_t size, int threads);
// The ones' complement sum of numbers, from their ordinary sum.
uint32_t fold_carries(uint64_t sum);

// Compares CHECKSUM and DATASUM where an HDU has them. Errors: CHECKSUM.
void verify_checksums(const Buffer &bytes, const std::vector<Hdu> &hdus,
                      std::string_view file, int threads);

}  // namespace specex::io
