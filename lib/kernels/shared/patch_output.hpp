// SPDX-License-Identifier: BSD-3-Clause
//
// Where the results of a patch go - arrays of its own, or its place in those of a frame -
// and what became of it.
#pragma once

#include <specex/specex.h>

#include <algorithm>
#include <cstddef>

#include "base/host_device.hpp"
#include "kernels/shared/spot_table.hpp"

namespace specex {

// An image that models are added to; several patches may share it.
struct ModelTarget {
  double *pixels = nullptr;  // of the box's lower left corner; NULL: not wanted
  int64_t stride = 0;
  Box box{0, 0, 0, 0};
};

// Adds an image over `box` to the part of the target that it covers.
void add_to_target(const ModelTarget &target, const Box &box, const double *pixels);

// How a patch counts of which parts were solved in two ways.
inline int32_t worse_path(int32_t a, int32_t b) {
  if (a == SPECEX_PATH_NONE || b == SPECEX_PATH_NONE) return std::max(a, b);
  return std::min(a, b);
}

struct PatchOutput {
  double *flux = nullptr;  // any may be NULL: not wanted
  double *ivar = nullptr;
  double *resolution = nullptr;
  double *chi2pix = nullptr;
  double *pixmask_fraction = nullptr;
  int32_t *mask = nullptr;
  ModelTarget model;
  int64_t fiber = 0;   // of the arrays, that core fibre 0 is
  int64_t bin = 0;     // of the arrays, that core bin 0 is
  int64_t stride = 0;  // from one fibre (or diagonal) to the next
  int ndiag = 0;
  // Core fibres and bins that are wanted.
  int first_fiber = 0;
  int end_fiber = 0;
  int first_bin = 0;
  int end_bin = 0;

  specex_status status = SPECEX_OK;  // out
  int32_t path = SPECEX_PATH_NONE;   // out

  SPECEX_HOST_DEVICE bool wants(int i, int j) const {
    return i >= first_fiber && i < end_fiber && j >= first_bin && j < end_bin;
  }
  SPECEX_HOST_DEVICE size_t at(int i, int j) const {
    return static_cast<size_t>((fiber + i) * stride + bin + j);
  }
  SPECEX_HOST_DEVICE size_t at(int i, int diagonal, int j) const {
    return static_cast<size_t>(((fiber + i) * ndiag + diagonal) * stride + bin + j);
  }

  // The arrays of a result.
  PatchOutput(const specex_patch &patch, const specex_result &result);
  // The part of a frame that a patch covers.
  PatchOutput(const specex_patch &patch, const specex_frame &frame);
  // The part that core fibres [i, i + nfiber) and bins [j, j + nbin) of `whole` take.
  PatchOutput(const PatchOutput &whole, int i, int nfiber, int j, int nbin);
};

}  // namespace specex
