// SPDX-License-Identifier: BSD-3-Clause
//
// The blocks of N = A^T W A, b = A^T W d and g = A^T W 1 from overlapping stamps (Bolton
// & Schlegel 2010, eqs. 2-4); A is never formed. One thread an element.
#pragma once

#include <cmath>

#include "kernels/cuda/geometry.hpp"
#include "kernels/cuda/sheet.hpp"
#include "kernels/shared/image.hpp"

namespace specex::gpu {

// sum of W S_a S_b over the pixels of `box` that two stamps share.
SPECEX_HOST_DEVICE inline double weighted_overlap(const Sheet &sheet,
                                                  const specex_image &image,
                                                  const Box &box, int w, int f, int v,
                                                  int g) {
  const Box a = sheet.stamp_box(w, f);
  const Box b = sheet.stamp_box(v, g);
  const Box both = intersect(intersect(a, b), box);
  double sum = 0.0;
  for (int y = both.ymin; y < both.ymax; ++y)
    for (int x = both.xmin; x < both.xmax; ++x)
      sum += pixel_at(image, y, x).weight *
             sheet.spots[sheet.spot_at(w, f, y - a.ymin, x - a.xmin)] *
             sheet.spots[sheet.spot_at(v, g, y - b.ymin, x - b.xmin)];
  return sum;
}

// A bin's sums over the pixels of `box`; what of its stamp is outside counts as masked.
struct StampSums {
  double data = 0.0;
  double weight = 0.0;
  double usable = 0.0;
  double masked = 0.0;
};

SPECEX_HOST_DEVICE inline StampSums sum_stamp(const Sheet &sheet,
                                              const specex_image &image, const Box &box,
                                              int w, int f) {
  const Box stamp = sheet.stamp_box(w, f);
  const Box inside = intersect(stamp, box);
  StampSums sums;
  for (int y = stamp.ymin; y < stamp.ymax; ++y)
    for (int x = stamp.xmin; x < stamp.xmax; ++x) {
      const double spot =
          sheet.spots[sheet.spot_at(w, f, y - stamp.ymin, x - stamp.xmin)];
      const bool in =
          y >= inside.ymin && y < inside.ymax && x >= inside.xmin && x < inside.xmax;
      const Pixel pixel = in ? pixel_at(image, y, x) : Pixel{0.0, 0.0};
      if (pixel.weight > 0.0) {
        sums.usable += spot;
        sums.weight += pixel.weight * spot;
        sums.data += pixel.weight * spot * pixel.value;
      } else {
        sums.masked += spot;
      }
    }
  return sums;
}

// Threads: bins x (half_band + 1 + nlag) x fibres.
struct FormBlocks {
  Sheet sheet;
  specex_image image;

  SPECEX_HOST_DEVICE void operator()(int64_t i) const {
    const int columns = sheet.half_band + 1 + sheet.nlag;
    const int f = static_cast<int>(i % sheet.nfiber);
    const int column = static_cast<int>(i / sheet.nfiber % columns);
    const int w = static_cast<int>(i / sheet.nfiber / columns);
    const bool own = column <= sheet.half_band;
    const int l = column - sheet.half_band - 1;
    const int v = own ? w + column : w + sheet.first_lag + l;
    const int g = own ? f : f + 1;
    const bool exists =
        v >= 0 && v < sheet.nbin && (own || (g < sheet.nfiber && sheet.coupled[f] != 0));
    const double sum =
        exists ? weighted_overlap(sheet, image, sheet.ccd, w, f, v, g) : 0.0;
    if (own)
      sheet.band[sheet.band_at(w, column, f)] = sum;
    else
      sheet.cross[sheet.cross_at(w, l, f)] = sum;
  }
};

// Threads: bins x fibres.
struct FormSums {
  Sheet sheet;
  specex_image image;

  SPECEX_HOST_DEVICE void operator()(int64_t i) const {
    const int f = sheet.fiber_of(i);
    const int w = sheet.bin_of(i);
    const StampSums sums = sum_stamp(sheet, image, sheet.ccd, w, f);
    sheet.data[i] = sums.data;
    sheet.weight[i] = sums.weight;
    sheet.usable[i] = sums.usable;
    sheet.masked[i] = sums.masked;
  }
};

// The largest coupling of a bin with fibres two and more away, relative to the diagonal
// elements: the algebra takes it as none. Threads: bins x fibres.
struct FindFarCoupling {
  Sheet sheet;
  specex_image image;
  const FiberReach *fibers;

  SPECEX_HOST_DEVICE void operator()(int64_t i) const {
    const int f = sheet.fiber_of(i);
    const int w = sheet.bin_of(i);
    const double own = sheet.band[sheet.band_at(w, 0, f)];
    const int x = sheet.x0[i];
    const int y = sheet.y0[i];
    double largest = 0.0;
    for (int g = f + 2;
         g < sheet.nfiber && sheet.coupled[g - 2] != 0 && sheet.coupled[g - 1] != 0;
         ++g) {
      if (own <= 0.0 || x + sheet.nx <= fibers[g].xmin || x >= fibers[g].xmax) continue;
      for (int v = sheet.first_reaching(y, g);
           v < sheet.nbin && sheet.y0[sheet.at(v, g)] < y + sheet.ny; ++v) {
        const double other = sheet.band[sheet.band_at(v, 0, g)];
        const double shared = weighted_overlap(sheet, image, sheet.ccd, w, f, v, g);
        if (!(shared <= 0.0)) {
          const double share = shared / std::sqrt(own * other);
          if (!(share <= largest)) largest = share;
        }
      }
    }
    sheet.far[i] = largest;
  }
};

}  // namespace specex::gpu
