// SPDX-License-Identifier: BSD-3-Clause
//
// Where spots lie and which of them meet.
#pragma once

#include "kernels/cuda/atomics.hpp"
#include "kernels/cuda/device_psf.hpp"
#include "kernels/cuda/sheet.hpp"
#include "model/psf.hpp"

namespace specex::gpu {

struct FindCorners {
  Sheet sheet;
  DevicePsf psf;

  SPECEX_HOST_DEVICE void operator()(int64_t i) const {
    const int f = sheet.fiber_of(i);
    const int w = sheet.bin_of(i);
    const int fiber = sheet.first_fiber + f;
    sheet.x0[i] = corner_pixel(psf.xtrace.at(fiber, sheet.wave(w)), psf.half_x);
    sheet.y0[i] = corner_pixel(psf.ytrace.at(fiber, sheet.wave(w)), psf.half_y);
  }
};

// What has to be known of a sheet before its arrays are made.
struct Reach {
  int band;  // bins to the last one of the same fibre that a spot meets
  int lowest_lag;
  int highest_lag;
  int ymin;  // of all stamps
  int ymax;
  int falling;  // whether the rows of some fibre fall anywhere
};
inline constexpr Reach no_reach{0, 1 << 30, -(1 << 30), 1 << 30, -(1 << 30), 0};

// By fibre.
struct FiberReach {
  int falls;  // its rows do, somewhere
  int xmin;   // columns of its stamps
  int xmax;
};
inline constexpr FiberReach no_fiber_reach{0, 1 << 30, -(1 << 30)};

// One thread a bin.
struct FindReach {
  Sheet sheet;
  int most_bins;  // that count
  Reach *reach;
  FiberReach *fibers;

  SPECEX_HOST_DEVICE void operator()(int64_t i) const {
    const int f = sheet.fiber_of(i);
    const int w = sheet.bin_of(i);
    const int y = sheet.y0[i];
    lower_to(&fibers[f].xmin, sheet.x0[i]);
    raise_to(&fibers[f].xmax, sheet.x0[i] + sheet.nx);
    lower_to(&reach->ymin, y);
    raise_to(&reach->ymax, y + sheet.ny);
    if (w + 1 < sheet.nbin && sheet.y0[sheet.at(w + 1, f)] < y) {
      raise_to(&fibers[f].falls, 1);
      raise_to(&reach->falling, 1);
    }
    int last = w;
    while (last + 1 < sheet.nbin && last - w < most_bins &&
           sheet.y0[sheet.at(last + 1, f)] < y + sheet.ny)
      ++last;
    raise_to(&reach->band, last - w);
    if (f + 1 == sheet.nfiber || sheet.coupled[f] == 0) return;
    const int low = sheet.first_reaching(y, f + 1);
    int high = low;
    while (high < sheet.nbin && high - low < most_bins * 4 &&
           sheet.y0[sheet.at(high, f + 1)] < y + sheet.ny)
      ++high;
    if (low == high) return;
    lower_to(&reach->lowest_lag, low - w);
    raise_to(&reach->highest_lag, high - 1 - w);
  }
};

// The first bin of each fibre whose stamp reaches a row, [row - ymin][fibre], so that a
// pixel finds the spots that touch it.
struct RowTable {
  const int *first_bin;
  int ymin;
  int nrow;
};

struct FillRowTable {
  Sheet sheet;
  int ymin;
  int *first_bin;

  SPECEX_HOST_DEVICE void operator()(int64_t i) const {
    const int f = static_cast<int>(i % sheet.nfiber);
    const int row = ymin + static_cast<int>(i / sheet.nfiber);
    first_bin[i] = sheet.first_reaching(row, f);
  }
};

}  // namespace specex::gpu
