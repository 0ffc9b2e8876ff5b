// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/cpu/kept_spots.hpp"

#include <new>

namespace specex {

void KeptSpots::begin(size_t pieces) {
  if (most_ == 0 || parts_.size() == pieces) return;
  forget();
  parts_.resize(pieces);
}

void KeptSpots::forget() {
  parts_.clear();
  room_ = most_;
}

KeptSpots::Part *KeptSpots::part(size_t piece, const PieceShape &shape, size_t numbers) {
  if (most_ == 0) return nullptr;
  Part &own = parts_[piece];
  if (own.shape == shape) return &own;
  const auto bytes_of = [](size_t count) {
    return static_cast<int64_t>(count * sizeof(double));
  };
  room_ += bytes_of(own.values.capacity());
  own = {};
  const int64_t bytes = bytes_of(numbers);
  if ((room_ -= bytes) >= 0) {
    try {
      own.values.resize(numbers);
      own.shape = shape;
      return &own;
    } catch (const std::bad_alloc &) {
      // The piece does without.
    }
  }
  room_ += bytes;
  return nullptr;
}

}  // namespace specex
