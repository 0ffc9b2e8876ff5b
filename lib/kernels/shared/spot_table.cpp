// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/shared/spot_table.hpp"

namespace specex {

void SpotTable::resize(const Psf &psf, int first_fiber, int nfiber, int first_bin,
                       int nbin) {
  first_fiber_ = first_fiber;
  first_bin_ = first_bin;
  nbin_ = nbin;
  nx_ = psf.spot_nx();
  ny_ = psf.spot_ny();
  const auto count = static_cast<size_t>(nfiber) * static_cast<size_t>(nbin);
  corners_.resize(count);
  values_.resize(count * static_cast<size_t>(nx_ * ny_));
}

void SpotTable::evaluate(const SpotModel &model, const Psf &psf, double wavemin,
                         double wavestep, int first_fiber, int nfiber, int first_bin,
                         int nbin) {
  resize(psf, first_fiber, nfiber, first_bin, nbin);
  for (int fiber = first_fiber; fiber < first_fiber + nfiber; ++fiber)
    for (int bin = first_bin; bin < first_bin + nbin; ++bin)
      corners_[index(fiber, bin)] = model.evaluate(fiber, wavemin + bin * wavestep,
                                                   values_.data() + offset(fiber, bin));
}

Box SpotTable::bounds() const {
  Box box = no_box;
  for (const Corner &corner : corners_)
    box = around(box, {corner.x, corner.x + nx_, corner.y, corner.y + ny_});
  return box;
}

double overlap(const Stamp &a, const Stamp &b) {
  const Box box = intersect(a.box, b.box);
  double sums[4] = {};  // that do not wait for each other
  for (int y = box.ymin; y < box.ymax; ++y) {
    const double *row_a = a.row(y);
    const double *row_b = b.row(y);
    int x = box.xmin;
    for (; x + 4 <= box.xmax; x += 4)
      for (int k = 0; k < 4; ++k) sums[k] += row_a[x + k] * row_b[x + k];
    for (; x < box.xmax; ++x) sums[0] += row_a[x] * row_b[x];
  }
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

}  // namespace specex
