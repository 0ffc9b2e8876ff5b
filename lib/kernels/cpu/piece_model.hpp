// SPDX-License-Identifier: BSD-3-Clause
//
// chi2pix and the model image of a patch, from the stamps that its piece has kept.
#pragma once

#include "kernels/cpu/lane_group.hpp"
#include "kernels/cpu/model_commits.hpp"

namespace specex {

class PieceModel {
 public:
  explicit PieceModel(const simd::Kernels &kernels) : kernels_(kernels) {}

  // Writes chi2pix, where it is wanted, and adds to `model`, which holds the patch's
  // stamps (NULL: not wanted). box: the patch's pixels on the CCD.
  void fill(const Piece &piece, const Lane &lane, const Box &box,
            const PatchOutput &output, ModelPart *model);

  // The whole stamps of a piece.
  static Box stamps_box(const Piece &piece);

 private:
  const simd::Kernels &kernels_;
  Aligned<double> chi2_;
  std::vector<double> core_flux_;
  std::vector<double> sums_;
  std::vector<int> done_;  // [core fibre] bins whose chi2pix is written
};

}  // namespace specex
