// SPDX-License-Identifier: BSD-3-Clause
//
// Up to 8 patches of a piece that have the same fibres and as many bins: one lane each.
// Cuts their normal equations from the piece's blocks, solves them together and leaves a
// Solution for each patch, or none where a shortcut did not hold.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "kernels/cpu/piece.hpp"
#include "kernels/shared/finish.hpp"
#include "kernels/shared/patch_pixels.hpp"

namespace specex {

// One patch in its lane.
struct Lane {
  const specex_patch *patch = nullptr;
  BinSums sums{0};  // by PatchShape
  std::vector<bool> measured;
  Solution solution;
  bool solved = false;
};

class LaneGroup {
 public:
  LaneGroup(const Run &run, const simd::Kernels &kernels)
      : run_(run), kernels_(kernels) {}

  // patches: 1 to 8.
  std::span<Lane> solve(const Piece &piece, std::span<const specex_patch *const> patches);

 private:
  void cut(const Piece &piece);
  void gather(const Piece &piece);
  void apply_row_limits(const Piece &piece, size_t lane);
  void condition_lane(const Piece &piece, size_t lane);
  void eliminate();
  void take_roots(const Piece &piece);
  int root_class(int nbin, const double *marginal, double *upper, int good);

  double &band(int f, int w, int m, size_t lane);
  double &cross(int f, int w, int l, size_t lane);
  double &data(int f, int w, size_t lane);

  const Run &run_;
  const simd::Kernels &kernels_;
  std::array<Lane, simd::width> lanes_;
  size_t count_ = 0;
  simd::BlockSystem system_{};
  int good_ = 0;  // lanes, as bits, whose shortcuts hold
  Aligned<double> band_, cross_, data_, flux_;
  Aligned<double> factors_, from_left_, from_right_, elimination_, solve_scratch_;
  Aligned<double> marginal_, row_sum_, smoothed_, diagonals_, root_scratch_, weighted_;
};

}  // namespace specex
