// SPDX-License-Identifier: BSD-3-Clause
#include "io/checksum.hpp"

#include <cstring>

#include "base/error.hpp"
#include "io/file_name.hpp"
#include "io/pixels.hpp"

namespace specex::io {

// Twice: the first addition of the carries may carry again.
uint32_t fold_carries(uint64_t sum) {
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffffffff) + (sum >> 32);
  return static_cast<uint32_t>(sum);
}

namespace {

constexpr size_t block = 2048;  // bytes

// Bytes of the same place in a word are summed in 16 bits each, four places side by side,
// as many as cannot overflow: so vectors need not reverse the bytes.
uint64_t sum_of_block(const uint8_t *bytes) {
  constexpr uint64_t places = 0x00ff00ff00ff00ff;
  uint64_t even = 0;
  uint64_t odd = 0;
  for (size_t i = 0; i < block; i += 8) {
    uint64_t words = 0;
    std::memcpy(&words, bytes + i, sizeof words);
    words = __builtin_bswap64(big_endian(words));  // little-endian
    even += words & places;
    odd += words >> 8 & places;
  }
  const auto both = [](uint64_t sums, int place) {  // in either word
    return (sums >> place & 0xffff) + (sums >> (place + 32) & 0xffff);
  };
  return (both(even, 0) << 24) + (both(odd, 0) << 16) + (both(even, 16) << 8) +
         both(odd, 16);
}

}  // namespace

uint32_t ones_complement_sum(const uint8_t *bytes, size_t size) {
  uint64_t sum = 0;
  size_t i = 0;
  for (; i + block <= size; i += block) sum += sum_of_block(bytes + i);
  for (; i + 4 <= size; i += 4) {
    uint32_t word = 0;
    std::memcpy(&word, bytes + i, sizeof word);
    sum += big_endian(word);
  }
  return fold_carries(sum);
}

namespace {

bool has_checksum(const Hdu &hdu) {
  return !hdu.header.text("CHECKSUM").value_or("").empty();
}

}  // namespace

bool has_checksums(const Hdu &hdu) {
  return hdu.header.integer("DATASUM").has_value() || has_checksum(hdu);
}

void verify_checksums(const Hdu &hdu, const Buffer &bytes, uint32_t data,
                      std::string_view file) {
  const auto expected = hdu.header.integer("DATASUM");
  if (expected && *expected != data)
    fail(SPECEX_ERROR_CHECKSUM,
         "%s is damaged: the data of %s (bytes %zu to %zu) do not match its DATASUM",
         quoted(file).c_str(), hdu.label().c_str(), hdu.data_begin, hdu.end);
  if (!has_checksum(hdu)) return;
  const uint32_t header = ones_complement_sum(bytes.data() + hdu.header_begin,
                                              hdu.data_begin - hdu.header_begin);
  const uint32_t total = fold_carries(uint64_t{header} + data);
  if (total != 0 && total != 0xffffffff)
    fail(SPECEX_ERROR_CHECKSUM,
         "%s is damaged: %s does not match its CHECKSUM (its data %s)",
         quoted(file).c_str(), hdu.label().c_str(),
         expected ? "are right: the header was changed" : "may be wrong");
}

}  // namespace specex::io
