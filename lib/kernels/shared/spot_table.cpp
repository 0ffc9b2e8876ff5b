// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/shared/spot_table.hpp"

#include <climits>

namespace specex {

void SpotTable::evaluate(const SpotModel &model, const Psf &psf, double wavemin,
                         double wavestep, int first_fiber, int nfiber, int first_bin,
                         int nbin) {
  first_fiber_ = first_fiber;
  first_bin_ = first_bin;
  nbin_ = nbin;
  nx_ = psf.spot_nx();
  ny_ = psf.spot_ny();
  const auto count = static_cast<size_t>(nfiber) * static_cast<size_t>(nbin);
  const auto size = static_cast<size_t>(nx_ * ny_);
  corners_.resize(count);
  values_.resize(count * size);
  for (size_t k = 0; k < count; ++k) {
    const int fiber = first_fiber + static_cast<int>(k / static_cast<size_t>(nbin));
    const int bin = first_bin + static_cast<int>(k % static_cast<size_t>(nbin));
    corners_[k] =
        model.evaluate(fiber, wavemin + bin * wavestep, values_.data() + k * size);
  }
}

Box SpotTable::bounds() const {
  Box box{INT_MAX, INT_MIN, INT_MAX, INT_MIN};
  for (const Corner &corner : corners_)
    box = {std::min(box.xmin, corner.x), std::max(box.xmax, corner.x + nx_),
           std::min(box.ymin, corner.y), std::max(box.ymax, corner.y + ny_)};
  return box;
}

}  // namespace specex
