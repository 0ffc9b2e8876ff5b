// SPDX-License-Identifier: BSD-3-Clause
//
// chi2pix and the model image of a patch, from the stamps that its piece has kept.
#pragma once

#include "kernels/cpu/lane_group.hpp"

namespace specex {

class PieceModel {
 public:
  PieceModel(const Run &run, const simd::Kernels &kernels)
      : run_(run), kernels_(kernels) {}

  // Writes result.chi2pix and result.model where they are wanted; box: the patch's pixels
  // on the CCD.
  void fill(const Piece &piece, const Lane &lane, const Box &box, specex_result &result);

 private:
  // An image over the patch's whole stamps, less the rows that are not in the box: so it
  // lies within the piece's strip, whatever rows a caller's patch names.
  void start_canvas(const Piece &piece, const specex_patch &patch, const Box &box);
  void add(const Piece &piece, int f, int w, double flux);
  double dot(const Piece &piece, int f, int w) const;

  const Run &run_;
  const simd::Kernels &kernels_;
  Aligned<double> pixels_;
  Box canvas_{};
};

}  // namespace specex
