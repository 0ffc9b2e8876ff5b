// SPDX-License-Identifier: BSD-3-Clause
#include "io/rice_guard.hpp"

#include <algorithm>

namespace specex::io {
namespace {

// Reads bits, the most significant first; stays at the end once it is reached.
class Bits {
 public:
  Bits(const uint8_t *bytes, size_t size) : bytes_(bytes), end_(8 * size) {}

  bool skip(size_t count) {
    if (count > end_ - at_) return false;
    at_ += count;
    return true;
  }

  bool read(size_t count, unsigned &value) {
    if (count > end_ - at_) return false;
    value = 0;
    for (; count > 0; --count, ++at_) value = value << 1 | bit();
    return true;
  }

  // Zeros and the one after them.
  bool skip_unary() {
    while (at_ < end_ && at_ % 8 == 0 && bytes_[at_ / 8] == 0) at_ += 8;
    while (at_ < end_ && bit() == 0) ++at_;
    return skip(1);
  }

 private:
  unsigned bit() const { return bytes_[at_ / 8] >> (7 - at_ % 8) & 1U; }

  const uint8_t *bytes_;
  size_t end_;
  size_t at_ = 0;
};

}  // namespace

bool rice_tile_is_complete(const uint8_t *bytes, size_t size, int64_t pixels,
                           int64_t block_size, int64_t bytes_per_pixel) {
  // Of the code that begins a block, and the code that says that it is not compressed.
  const size_t code_bits = bytes_per_pixel == 1 ? 3 : bytes_per_pixel == 2 ? 4 : 5;
  const unsigned verbatim = bytes_per_pixel == 1 ? 7 : bytes_per_pixel == 2 ? 15 : 26;
  const auto pixel_bits = static_cast<size_t>(8 * bytes_per_pixel);
  Bits bits(bytes, size);
  if (!bits.skip(pixel_bits)) return false;  // the first pixel
  for (int64_t first = 0; first < pixels; first += block_size) {
    const auto count = static_cast<size_t>(std::min(block_size, pixels - first));
    unsigned code = 0;
    if (!bits.read(code_bits, code)) return false;
    if (code == 0) continue;  // all equal
    if (code == verbatim) {
      if (!bits.skip(count * pixel_bits)) return false;
      continue;
    }
    for (size_t i = 0; i < count; ++i)
      if (!bits.skip_unary() || !bits.skip(code - 1)) return false;
  }
  return true;
}

}  // namespace specex::io
