// SPDX-License-Identifier: BSD-3-Clause
//
// The spots of a block of fibres and bins, evaluated once and shared by the patches that
// cover them, and the geometry of their stamps.
#pragma once

#include <algorithm>
#include <climits>
#include <vector>

#include "base/host_device.hpp"
#include "kernels/shared/spot_model.hpp"

namespace specex {

// Pixels [xmin, xmax) x [ymin, ymax).
struct Box {
  int xmin;
  int xmax;
  int ymin;
  int ymax;

  SPECEX_HOST_DEVICE int width() const { return xmax - xmin; }
  SPECEX_HOST_DEVICE int height() const { return ymax - ymin; }
  SPECEX_HOST_DEVICE bool empty() const { return xmax <= xmin || ymax <= ymin; }
  bool operator==(const Box &) const = default;
};

// What two boxes share; of width or height 0, never less, where that is nothing.
SPECEX_HOST_DEVICE inline Box intersect(const Box &a, const Box &b) {
  const int xmin = std::max(a.xmin, b.xmin);
  const int ymin = std::max(a.ymin, b.ymin);
  return {xmin, std::max(xmin, std::min(a.xmax, b.xmax)), ymin,
          std::max(ymin, std::min(a.ymax, b.ymax))};
}

// The smallest box that holds both; no_box holds nothing, not even a corner.
inline constexpr Box no_box{INT_MAX, INT_MIN, INT_MAX, INT_MIN};
inline Box around(const Box &a, const Box &b) {
  return {std::min(a.xmin, b.xmin), std::max(a.xmax, b.xmax), std::min(a.ymin, b.ymin),
          std::max(a.ymax, b.ymax)};
}

// The box, less the rows that `rows` does not have.
inline Box with_rows_of(Box box, const Box &rows) {
  box.ymin = std::max(box.ymin, rows.ymin);
  box.ymax = std::max(box.ymin, std::min(box.ymax, rows.ymax));
  return box;
}

// One spot: a stamp of pixel values with its place on the CCD.
struct Stamp {
  Box box;
  const double *values;  // [height][width]

  const double *row(int y) const {
    return values + (y - box.ymin) * box.width() - box.xmin;
  }
};

class SpotTable {
 public:
  // Room for fibres [first_fiber, +nfiber), bins [first_bin, +nbin).
  void resize(const Psf &psf, int first_fiber, int nfiber, int first_bin, int nbin);
  // Where the values of a spot are to be written, whose lower left pixel this is.
  double *place(int fiber, int bin, Corner corner) {
    corners_[index(fiber, bin)] = corner;
    return values_.data() + offset(fiber, bin);
  }

  // And their spots on a grid that starts at wavemin (bin 0) and rises by wavestep.
  void evaluate(const SpotModel &model, const Psf &psf, double wavemin, double wavestep,
                int first_fiber, int nfiber, int first_bin, int nbin);

  Stamp stamp(int fiber, int bin) const {
    const Corner corner = corners_[index(fiber, bin)];
    return {{corner.x, corner.x + nx_, corner.y, corner.y + ny_},
            values_.data() + offset(fiber, bin)};
  }

  // Of all stamps.
  Box bounds() const;

 private:
  size_t index(int fiber, int bin) const {
    return static_cast<size_t>(fiber - first_fiber_) * static_cast<size_t>(nbin_) +
           static_cast<size_t>(bin - first_bin_);
  }
  size_t offset(int fiber, int bin) const {
    return index(fiber, bin) * static_cast<size_t>(nx_ * ny_);
  }

  int first_fiber_ = 0;
  int first_bin_ = 0;
  int nbin_ = 0;
  int nx_ = 0;
  int ny_ = 0;
  std::vector<Corner> corners_;
  std::vector<double> values_;
};

// sum of a * b over the pixels that two stamps share
double overlap(const Stamp &a, const Stamp &b);

}  // namespace specex
