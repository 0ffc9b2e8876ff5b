// SPDX-License-Identifier: BSD-3-Clause
//
// The normal equations of a patch, N = A^T W A and b = A^T W d, straight from overlapping
// spots: A is never formed. Few elements of N are not 0.
#pragma once

#include <vector>

#include "kernels/shared/finish.hpp"
#include "kernels/shared/patch_pixels.hpp"

namespace specex {

struct NormalEquations {
  // Of bin w of fibre f with bin v of fibre g: f < g, or f = g and w < v.
  struct Element {
    int f;
    int w;
    int g;
    int v;
    double value;
  };

  std::vector<Element> elements;
  BinSums sums{0};  // by fibre, as PatchShape numbers bins; these have the diagonal

  Symmetric dense_by_fiber(const PatchShape &shape) const;

  // Calls visit(f, w, g, v, value) once for each element, those of the diagonal first.
  template <class Visit>
  void for_each_element(const PatchShape &shape, Visit &&visit) const {
    for (int f = 0; f < shape.nfiber; ++f)
      for (int w = 0; w < shape.nbin; ++w)
        visit(f, w, f, w, sums.diagonal[static_cast<size_t>(f * shape.nbin + w)]);
    for (const Element &e : elements) visit(e.f, e.w, e.g, e.v, e.value);
  }
};

// A patch's spots and the pixels that they fall on.
struct OwnPixels {
  OwnPixels(const Run &run, const specex_patch &patch, SpotTable table);

  SpotTable spots;
  PatchPixels pixels;
};

// And its normal equations, in double precision throughout, conditioned.
struct OwnEquations : OwnPixels {
  OwnEquations(const Run &run, const specex_patch &patch, SpotTable table);

  NormalEquations normal;
  std::vector<bool> measured;
};

}  // namespace specex
