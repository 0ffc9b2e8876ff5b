// SPDX-License-Identifier: BSD-3-Clause
#include "io/image_data.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <limits>

#include "base/deal.hpp"
#include "base/error.hpp"
#include "io/checksum.hpp"
#include "io/pixels.hpp"

namespace specex::io {
namespace {

// In a piece: both of its forms stay in the cache.
constexpr int64_t most_pixels = 1 << 14;

// Other values would become infinities.
bool fit_in_float32(const double *values, size_t count) {
  constexpr double most = std::numeric_limits<float>::max();
  return std::none_of(values, values + count, [](double value) {
    return std::abs(value) > most && !std::isinf(value);
  });
}

void encode_as(Pixels type, const float *pixels, size_t count, uint8_t *bytes) {
  if (type == Pixels::float64)
    encode<double>(pixels, count, bytes);
  else
    encode<float>(pixels, count, bytes);
}

void encode_as(Pixels type, const double *pixels, size_t count, uint8_t *bytes) {
  if (type == Pixels::float64) return encode<double>(pixels, count, bytes);
  if (!fit_in_float32(pixels, count))
    fail(SPECEX_ERROR_ARGUMENT, "a value does not fit in a float32; write float64");
  encode<float>(pixels, count, bytes);
}

void encode_as(Pixels type, const int32_t *pixels, size_t count, uint8_t *bytes) {
  encode<int32_t>(pixels, count, bytes);
  if (type == Pixels::uint32)  // is stored as the difference from BZERO = 2^31
    for (size_t i = 0; i < count; ++i) bytes[i * sizeof(int32_t)] ^= 0x80;
}

}  // namespace

size_t ImageData::size() const {
  size_t size = pixel_size();
  for (const int64_t axis : shape_) size *= static_cast<size_t>(axis);
  return size;
}

void ImageData::add(Source pixels, int64_t count) {
  for (int64_t first = 0; first < count; first += most_pixels) {
    const auto size = static_cast<size_t>(std::min(most_pixels, count - first));
    pieces_.push_back(
        {std::visit([first](const auto *start) { return Source(start + first); }, pixels),
         size, given_});
    given_ += size * pixel_size();
  }
}

uint32_t ImageData::write(size_t at, const Put &put, int threads) const {
  if (given_ != size()) fail(SPECEX_ERROR_INTERNAL, "an image lacks pixels");
  std::atomic<uint64_t> sum{0};
  deal(threads, pieces_.size(), [&](size_t i) {
    const Piece &piece = pieces_[i];
    const size_t size = piece.count * pixel_size();
    alignas(64) std::array<uint8_t, most_pixels * sizeof(double)> bytes;
    std::visit(
        [&](const auto *from) { encode_as(type_, from, piece.count, bytes.data()); },
        piece.pixels);
    sum += ones_complement_sum(bytes.data(), size);
    put(at + piece.at, bytes.data(), size);
  });
  return fold_carries(sum);
}

}  // namespace specex::io
