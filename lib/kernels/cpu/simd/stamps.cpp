// SPDX-License-Identifier: BSD-3-Clause
//
// Stamps and canvases: the model image and sums of an image under a spot.
#include "kernels/cpu/simd/stages.hpp"
#include "kernels/shared/chi2.hpp"

namespace specex::SPECEX_ISA {

void add_stamp(const StampLayout &layout, const float *stamp, double flux, int first_row,
               int end_row, double *canvas, ptrdiff_t stride) {
  for (int r = first_row; r < end_row; ++r)
    for (int k = 0; k < layout.row; k += lanes) {
      double *to = canvas + r * stride + k;
      store(to, load(to) + flux * widen(load(stamp + r * layout.row + k)));
    }
}

void chi2_row(ptrdiff_t count, const double *values, const double *weights, double scale,
              double psferr, double *canvas) {
  for (ptrdiff_t k = 0; k < count; k += lanes)
    store(canvas + k, pixel_chi2(load(values + k), load(weights + k) / scale,
                                 load(canvas + k), psferr));
}

double dot_stamp(const StampLayout &layout, const float *stamp, int first_row,
                 int end_row, const double *canvas, ptrdiff_t stride) {
  Vector total[2] = {};
  for (int r = first_row; r < end_row; ++r)
    for (int k = 0; k < layout.row; k += lanes)
      total[(k / lanes) % 2] +=
          load(canvas + r * stride + k) * widen(load(stamp + r * layout.row + k));
  return sum(total[0] + total[1]);
}

}  // namespace specex::SPECEX_ISA
