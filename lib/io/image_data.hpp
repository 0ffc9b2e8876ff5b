// SPDX-License-Identifier: BSD-3-Clause
//
// The pixels of an image to be written: where they are, and what they become.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

#include "io/atomic_file.hpp"

namespace specex::io {

enum class Pixels { float32, float64, int32, uint32 };

class ImageData {
 public:
  // The shape is slowest axis first.
  ImageData(int hdu, Pixels type, std::vector<int64_t> shape)
      : hdu_(hdu), type_(type), shape_(std::move(shape)) {}

  int hdu() const { return hdu_; }
  const std::vector<int64_t> &shape() const { return shape_; }
  size_t size() const;  // bytes in the file, without filling

  // The next pixels, of reals for an image of reals, else integers (two's complement for
  // uint32). They are read when they are encoded.
  using Source = std::variant<const float *, const double *, const int32_t *>;
  void add(Source pixels, int64_t count);

  // Puts size() bytes from `at` on, with several threads, and returns their ones'
  // complement sum. Errors: ARGUMENT (a number does not fit in a float32), those of
  // `put`.
  uint32_t write(size_t at, const Put &put, int threads) const;

 private:
  struct Piece {
    Source pixels;
    size_t count;
    size_t at;  // bytes from the start of the data
  };
  size_t pixel_size() const { return type_ == Pixels::float64 ? 8 : 4; }

  int hdu_;
  Pixels type_;
  std::vector<int64_t> shape_;
  std::vector<Piece> pieces_;
  size_t given_ = 0;  // bytes
};

}  // namespace specex::io
