// SPDX-License-Identifier: BSD-3-Clause
//
// The ones' complement sums of the FITS checksum convention (FITS standard 4.0, appendix
// J).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "io/fits_guard.hpp"

namespace specex::io {

// Of big-endian 32-bit words; `size` is a multiple of 4.
uint32_t ones_complement_sum(const uint8_t *bytes, size_t size);
// The ones' complement sum of numbers, from their ordinary sum.
uint32_t fold_carries(uint64_t sum);

bool has_checksums(const Hdu &hdu);
// Compares the CHECKSUM and DATASUM that an HDU has with the sums of its header, in
// `bytes` of the whole file, and of its data. Errors: CHECKSUM.
void verify_checksums(const Hdu &hdu, const Buffer &bytes, uint32_t data,
                      std::string_view file);

}  // namespace specex::io
