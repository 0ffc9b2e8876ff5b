// SPDX-License-Identifier: BSD-3-Clause
//
// chi2pix and the model image. A thread has one pixel and collects what falls on it, in a
// fixed order, so that results do not depend on how threads are run.
#pragma once

#include "kernels/cuda/geometry.hpp"
#include "kernels/cuda/window_group.hpp"
#include "kernels/shared/chi2.hpp"
#include "kernels/shared/image.hpp"

namespace specex::gpu {

// Calls add(w, spot) for bins [begin, end) of fibre f whose stamps have pixel (y, x).
template <class Add>
SPECEX_HOST_DEVICE inline void for_each_spot_on(const Sheet &sheet, const RowTable &rows,
                                                int y, int x, int f, int begin, int end,
                                                Add &&add) {
  int w = rows.first_bin[int64_t{y - rows.ymin} * sheet.nfiber + f];
  if (w < begin) w = begin;
  for (; w < end; ++w) {
    const int64_t i = sheet.at(w, f);
    if (sheet.y0[i] > y) return;
    const int k = x - sheet.x0[i];
    if (k >= 0 && k < sheet.nx)
      add(w, sheet.spots[sheet.spot_at(w, f, y - sheet.y0[i], k)]);
  }
}

// The pixels under a window's core. Threads: bins of a core x core fibres.
struct FindCanvas {
  Sheet sheet;
  Group group;

  SPECEX_HOST_DEVICE void operator()(int64_t i) const {
    const auto [p, number, core, j] = group.core_bin(i);
    DeviceWindow &window = group.windows[number];
    if (j >= window.ncore_bin) return;
    const Box stamp = sheet.stamp_box(window.bin + window.core_bin + j,
                                      window.fiber + group.fiber_of(p));
    lower_to(&window.canvas.xmin, stamp.xmin);
    raise_to(&window.canvas.xmax, stamp.xmax);
    lower_to(&window.canvas.ymin, stamp.ymin);
    raise_to(&window.canvas.ymax, stamp.ymax);
  }
};

// chi2 of a window's pixels for the light of all its bins. Threads: pixels of the largest
// canvas x windows.
struct FillCanvas {
  Sheet sheet;
  specex_image image;
  Group group;
  RowTable rows;
  const FiberReach *fibers;
  int64_t largest;
  double *canvas;

  SPECEX_HOST_DEVICE void operator()(int64_t i) const {
    const int number = static_cast<int>(i / largest);
    const DeviceWindow &window = group.windows[number];
    const int64_t k = i % largest;
    const int width = window.canvas.width();
    if (k >= int64_t{width} * window.canvas.height()) return;
    const int y = window.canvas.ymin + static_cast<int>(k / width);
    const int x = window.canvas.xmin + static_cast<int>(k % width);
    double model = 0.0;
    for (int f = window.fiber; f < window.fiber + group.nfiber; ++f) {
      if (x < fibers[f].xmin || x >= fibers[f].xmax) continue;
      const int64_t p = int64_t{number} * group.nfiber + (f - window.fiber);
      for_each_spot_on(sheet, rows, y, x, f, window.bin, window.bin + group.nbin,
                       [&](int w, double spot) {
                         model += spot * group.flux[group.at(w - window.bin, p)];
                       });
    }
    const Pixel pixel = pixel_at(image, y, x);
    canvas[window.canvas_at + k] =
        pixel_chi2(pixel.value, pixel.weight, model, group.rules.psferr);
  }
};

// chi2pix. Threads: bins of a core x core fibres.
struct SumChi2 {
  Sheet sheet;
  Group group;
  const double *canvas;

  SPECEX_HOST_DEVICE void operator()(int64_t i) const {
    const auto [p, number, core, j] = group.core_bin(i);
    const DeviceWindow &window = group.windows[number];
    const PatchOutput &output = window.output;
    if (output.chi2pix == nullptr || !output.wants(core, j) || !group.solved(number))
      return;
    const int w = window.core_bin + j;
    const int f = window.fiber + group.fiber_of(p);
    const Box stamp = sheet.stamp_box(window.bin + w, f);
    const Box inside = intersect(stamp, window.canvas);
    double sum = 0.0;
    for (int y = inside.ymin; y < inside.ymax; ++y)
      for (int x = inside.xmin; x < inside.xmax; ++x)
        sum +=
            sheet
                .spots[sheet.spot_at(window.bin + w, f, y - stamp.ymin, x - stamp.xmin)] *
            canvas[window.canvas_at +
                   int64_t{y - window.canvas.ymin} * window.canvas.width() +
                   (x - window.canvas.xmin)];
    output.chi2pix[output.at(core, j)] =
        bounded_chi2(mean_chi2(sum, group.usable[group.at(w, p)]));
  }
};

// The core's part of the model, into the sheet. Threads: bins of a core x core fibres.
struct StoreModelFlux {
  Sheet sheet;
  Group group;

  SPECEX_HOST_DEVICE void operator()(int64_t i) const {
    const auto [p, number, core, j] = group.core_bin(i);
    const DeviceWindow &window = group.windows[number];
    if (j >= window.model_bins || !group.solved(number)) return;
    const int w = window.core_bin + j;
    const int64_t q = group.at(w, p);
    sheet.flux[sheet.at(window.bin + w, window.fiber + group.fiber_of(p))] =
        bin_model_flux(group.rules, group.flux[q], group.row_sum[q], group.smoothed[q]);
  }
};

// An image that some fibres and bins of a sheet are added to.
struct ModelTask {
  ModelTarget target;
  int first_fiber;  // of the sheet
  int end_fiber;
  int first_bin;
  int end_bin;
};

// Columns that the stamps of `fibers_of_extent` fibres cover on a row.
struct RowExtent {
  int xmin;
  int xmax;
};
inline constexpr int fibers_of_extent = 25;

// Threads: rows x extents.
struct FindRowExtents {
  Sheet sheet;
  RowTable rows;
  RowExtent *extents;  // [row][extent]

  SPECEX_HOST_DEVICE void operator()(int64_t i) const {
    const int count = (sheet.nfiber + fibers_of_extent - 1) / fibers_of_extent;
    const int y = rows.ymin + static_cast<int>(i / count);
    const int first = static_cast<int>(i % count) * fibers_of_extent;
    RowExtent extent{1 << 30, -(1 << 30)};
    for (int f = first; f < first + fibers_of_extent && f < sheet.nfiber; ++f)
      for (int w = rows.first_bin[int64_t{y - rows.ymin} * sheet.nfiber + f];
           w < sheet.nbin && sheet.y0[sheet.at(w, f)] <= y; ++w) {
        const int x = sheet.x0[sheet.at(w, f)];
        extent.xmin = x < extent.xmin ? x : extent.xmin;
        extent.xmax = x + sheet.nx > extent.xmax ? x + sheet.nx : extent.xmax;
      }
    extents[i] = extent;
  }
};

// Threads: pixels of the largest target x tasks.
struct PaintModel {
  Sheet sheet;
  RowTable rows;
  const RowExtent *extents;
  const ModelTask *tasks;
  int64_t largest;

  SPECEX_HOST_DEVICE void operator()(int64_t i) const {
    const ModelTask &task = tasks[i / largest];
    const int64_t k = i % largest;
    const Box &box = task.target.box;
    if (k >= int64_t{box.width()} * box.height()) return;
    const int y = box.ymin + static_cast<int>(k / box.width());
    const int x = box.xmin + static_cast<int>(k % box.width());
    if (y < rows.ymin || y >= rows.ymin + rows.nrow) return;
    const int count = (sheet.nfiber + fibers_of_extent - 1) / fibers_of_extent;
    double sum = 0.0;
    for (int e = task.first_fiber / fibers_of_extent;
         e < count && e * fibers_of_extent < task.end_fiber; ++e) {
      const RowExtent extent = extents[int64_t{y - rows.ymin} * count + e];
      if (x < extent.xmin || x >= extent.xmax) continue;
      for (int f = e * fibers_of_extent; f < (e + 1) * fibers_of_extent; ++f)
        if (f >= task.first_fiber && f < task.end_fiber)
          for_each_spot_on(
              sheet, rows, y, x, f, task.first_bin, task.end_bin,
              [&](int w, double spot) { sum += spot * sheet.flux[sheet.at(w, f)]; });
    }
    task.target.pixels[(y - box.ymin) * task.target.stride + (x - box.xmin)] += sum;
  }
};

}  // namespace specex::gpu
