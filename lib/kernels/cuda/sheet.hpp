// SPDX-License-Identifier: BSD-3-Clause
//
// A sheet is a run of fibres and a run of bins whose spots and blocks of the normal
// equations are made once and shared by all windows inside. Every kernel of this folder
// is a struct of numbers and pointers whose operator() does the work of one thread,
// without shared memory and without waiting for others: threads next to each other take
// fibres next to each other, and so does memory ([bin][...][fibre]), whose reads thus
// coalesce.
#pragma once

#include <cstdint>

#include "base/host_device.hpp"
#include "kernels/shared/spot_table.hpp"

namespace specex::gpu {

struct Sheet {
  int first_fiber;
  int nfiber;
  int first_bin;
  int nbin;
  double wavemin;  // of bin 0, Angstrom
  double wavestep;
  int nx;  // pixels of a spot
  int ny;
  int half_band;  // last bin of the same fibre that a spot may meet
  int first_lag;  // bins of the next fibre that it may meet, less its own
  int nlag;
  Box ccd;

  const int *coupled;  // [fibre] whether some window holds it and the next
  int *x0;             // [bin][fibre]
  int *y0;
  double *spots;   // [bin][pixel][fibre]
  double *band;    // [bin][half_band + 1][fibre] N[w][w + m]
  double *cross;   // [bin][nlag][fibre] N[fibre, w][fibre + 1, w + first_lag + l]
  double *data;    // [bin][fibre] A^T W d
  double *weight;  // A^T W 1
  double *usable;  // share of the profile on pixels with weight
  double *masked;  // and without
  double *far;     // coupling with fibres that are not next to it, normalised
  double *flux;    // that a bin adds to the model image, 0 where it adds none

  SPECEX_HOST_DEVICE int64_t size() const { return int64_t{nfiber} * nbin; }
  // Of thread i of size().
  SPECEX_HOST_DEVICE int fiber_of(int64_t i) const {
    return static_cast<int>(i % nfiber);
  }
  SPECEX_HOST_DEVICE int bin_of(int64_t i) const { return static_cast<int>(i / nfiber); }
  SPECEX_HOST_DEVICE int64_t at(int w, int f) const { return int64_t{w} * nfiber + f; }
  SPECEX_HOST_DEVICE int64_t band_at(int w, int m, int f) const {
    return (int64_t{w} * (half_band + 1) + m) * nfiber + f;
  }
  SPECEX_HOST_DEVICE int64_t cross_at(int w, int l, int f) const {
    return (int64_t{w} * nlag + l) * nfiber + f;
  }
  SPECEX_HOST_DEVICE double wave(int w) const {
    return wavemin + (first_bin + w) * wavestep;
  }
  SPECEX_HOST_DEVICE Box stamp_box(int w, int f) const {
    const int x = x0[at(w, f)];
    const int y = y0[at(w, f)];
    return {x, x + nx, y, y + ny};
  }
  // Of the pixel at row r and column k of a stamp.
  SPECEX_HOST_DEVICE int64_t spot_at(int w, int f, int r, int k) const {
    return ((int64_t{w} * ny + r) * nx + k) * nfiber + f;
  }
  // The first bin whose stamp does not end at `row` or below, of a fibre whose rows rise.
  SPECEX_HOST_DEVICE int first_reaching(int row, int f) const {
    int low = 0;
    int high = nbin;
    while (low < high) {
      const int middle = (low + high) / 2;
      if (y0[at(middle, f)] + ny > row)
        high = middle;
      else
        low = middle + 1;
    }
    return low;
  }
};

}  // namespace specex::gpu
