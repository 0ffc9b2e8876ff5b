// SPDX-License-Identifier: BSD-3-Clause
//
// Spots of one extraction, kept for the next ones: they follow from the PSF and the grid,
// whatever the image. What there is no room for is evaluated again.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "kernels/cpu/aligned.hpp"
#include "kernels/cpu/piece_shape.hpp"

namespace specex {

class KeptSpots {
 public:
  struct Part {
    PieceShape shape{};
    Aligned<double> values;
    bool evaluated = false;  // set by who did it
  };

  explicit KeptSpots(int64_t most_bytes) : most_(most_bytes), room_(most_bytes) {}

  // For an extraction of so many pieces, of the same PSF as the last one, or after
  // forget().
  void begin(size_t pieces);
  void forget();

  // Of a piece, whose spots are so many numbers; NULL where there is no room. Different
  // pieces may ask at the same time.
  Part *part(size_t piece, const PieceShape &shape, size_t numbers);

 private:
  const int64_t most_;
  std::atomic<int64_t> room_;  // bytes
  std::vector<Part> parts_;
};

}  // namespace specex
