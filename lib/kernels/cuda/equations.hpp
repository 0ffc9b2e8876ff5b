// SPDX-License-Identifier: BSD-3-Clause
//
// Each window's normal equations: cut from the blocks of its sheet, summed again where
// the window uses fewer pixels than the spots cover, and conditioned.
#pragma once

#include "kernels/cuda/normal_blocks.hpp"
#include "kernels/cuda/window_group.hpp"

namespace specex::gpu {

// Whether a stamp has pixels on the CCD that the window does not use.
SPECEX_HOST_DEVICE inline bool is_cut(const Sheet &sheet, const Box &box, int w, int f) {
  const Box on_ccd = intersect(sheet.stamp_box(w, f), sheet.ccd);
  return !on_ccd.empty() && (on_ccd.xmin < box.xmin || on_ccd.xmax > box.xmax ||
                             on_ccd.ymin < box.ymin || on_ccd.ymax > box.ymax);
}

// Threads: bins x (half_band + 1 + nlag) x problems.
struct CutBlocks {
  Sheet sheet;
  specex_image image;
  Group group;

  SPECEX_HOST_DEVICE void operator()(int64_t i) const {
    const int columns = group.half_band + 1 + group.nlag;
    const int64_t p = i % group.nproblem;
    const int column = static_cast<int>(i / group.nproblem % columns);
    const int w = static_cast<int>(i / group.nproblem / columns);
    const DeviceWindow &window = group.windows[group.window_of(p)];
    const int f = window.fiber + group.fiber_of(p);
    const bool own = column <= group.half_band;
    const int l = column - group.half_band - 1;
    const int v = own ? w + column : w + group.first_lag + l;  // of the window
    const int g = own ? f : f + 1;
    double value = 0.0;
    const bool exists =
        v >= 0 && v < group.nbin &&
        (own ? column <= sheet.half_band : group.fiber_of(p) + 1 < group.nfiber);
    if (exists) {
      const int sw = window.bin + w;
      const int sv = window.bin + v;
      if (is_cut(sheet, window.box, sw, f) && is_cut(sheet, window.box, sv, g))
        value = weighted_overlap(sheet, image, window.box, sw, f, sv, g);
      else
        value = own ? sheet.band[sheet.band_at(sw, column, f)]
                    : sheet.cross[sheet.cross_at(sw, l, f)];
    }
    if (own)
      group.band[group.band_at(w, column, p)] = value;
    else
      group.cross[group.cross_at(w, l, p)] = value;
  }
};

// Threads: bins x problems.
struct CutSums {
  Sheet sheet;
  specex_image image;
  Group group;

  SPECEX_HOST_DEVICE void operator()(int64_t i) const {
    const int64_t p = i % group.nproblem;
    const int w = static_cast<int>(i / group.nproblem);
    const DeviceWindow &window = group.windows[group.window_of(p)];
    const int f = window.fiber + group.fiber_of(p);
    const int sw = window.bin + w;
    const int64_t from = sheet.at(sw, f);
    StampSums sums{sheet.data[from], sheet.weight[from], sheet.usable[from],
                   sheet.masked[from]};
    if (is_cut(sheet, window.box, sw, f))
      sums = sum_stamp(sheet, image, window.box, sw, f);
    group.data[i] = sums.data;
    group.weight[i] = sums.weight;
    group.usable[i] = sums.usable;
    group.masked[i] = sums.masked;
    if (!(sheet.far[from] <= max_far_coupling)) group.mark(p, verdict_coupled);
    const double diagonal = group.band[group.band_at(w, 0, p)];
    if (diagonal != 0.0 &&
        !(diagonal < extreme_weight && diagonal > 1.0 / extreme_weight))
      group.mark(p, verdict_extreme);
  }
};

// Threads: problems, then windows.
struct FindLargest {
  Group group;

  SPECEX_HOST_DEVICE void operator()(int64_t p) const {
    double largest = 0.0;
    for (int w = 0; w < group.nbin; ++w) {
      const int64_t i = group.at(w, p);
      const double size =
          size_for_conditioning(group.rules, group.weight[i], group.usable[i],
                                group.band[group.band_at(w, 0, p)]);
      largest = size > largest ? size : largest;
    }
    group.largest[p] = largest;
  }
};

struct FindLargestOfWindow {
  Group group;

  SPECEX_HOST_DEVICE void operator()(int64_t window) const {
    double largest = 0.0;
    for (int f = 0; f < group.nfiber; ++f) {
      const double size = group.largest[window * group.nfiber + f];
      largest = size > largest ? size : largest;
    }
    group.largest_of_window[window] = largest;
  }
};

// Which bins take part, and the diagonal. Threads: bins x problems.
struct ConditionDiagonal {
  Group group;

  SPECEX_HOST_DEVICE void operator()(int64_t i) const {
    const int64_t p = i % group.nproblem;
    const int w = static_cast<int>(i / group.nproblem);
    double &diagonal = group.band[group.band_at(w, 0, p)];
    const bool measured = is_measured(group.rules, group.usable[i], diagonal);
    diagonal =
        conditioned_diagonal(group.rules, group.weight[i], group.usable[i], diagonal,
                             group.largest_of_window[group.window_of(p)]);
    group.measured[i] = measured ? 1 : 0;
    if (!measured) group.data[i] = 0.0;
  }
};

// Bins that take no part have no other elements. Threads: bins x problems.
struct Decouple {
  Group group;

  SPECEX_HOST_DEVICE void operator()(int64_t i) const {
    const int64_t p = i % group.nproblem;
    const int w = static_cast<int>(i / group.nproblem);
    const bool own = group.measured[i] != 0;
    for (int m = 1; m <= group.half_band && w + m < group.nbin; ++m)
      if (!own || group.measured[group.at(w + m, p)] == 0)
        group.band[group.band_at(w, m, p)] = 0.0;
    if (group.fiber_of(p) + 1 == group.nfiber) return;
    for (int l = 0; l < group.nlag; ++l) {
      const int v = w + group.first_lag + l;
      if (v >= 0 && v < group.nbin && (!own || group.measured[group.at(v, p + 1)] == 0))
        group.cross[group.cross_at(w, l, p)] = 0.0;
    }
  }
};

}  // namespace specex::gpu
