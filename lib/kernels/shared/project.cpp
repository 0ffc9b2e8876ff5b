// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/shared/project.hpp"

#include <omp.h>

#include <algorithm>
#include <vector>

#include "base/error.hpp"
#include "base/floating_point.hpp"
#include "base/threads.hpp"
#include "kernels/shared/spot_table.hpp"

namespace specex {
namespace {

void add_fiber(const SpotTable &spots, int fiber, const double *spectrum,
               const specex_grid &grid, const Box &ccd, double *image) {
  for (int w = 0; w < static_cast<int>(grid.nwave); ++w) {
    const Stamp stamp = spots.stamp(fiber, w);
    const Box inside = intersect(stamp.box, ccd);
    const double electrons = spectrum[w] * grid.wavestep;
    for (int y = inside.ymin; y < inside.ymax; ++y) {
      double *row = image + static_cast<ptrdiff_t>(y) * ccd.xmax;
      const double *spot = stamp.row(y);
      for (int x = inside.xmin; x < inside.xmax; ++x) row[x] += electrons * spot[x];
    }
  }
}

}  // namespace

void project(const Psf &psf, const SpotModel &model, const specex_grid &grid,
             int first_fiber, int nspec, const double *spectra, int64_t nx, int64_t ny,
             double *image, int num_threads, Progress &progress) {
  const Box ccd{0, static_cast<int>(nx), 0, static_cast<int>(ny)};
  const int group = std::clamp(num_threads, 1, nspec);
  std::vector<SpotTable> spots(static_cast<size_t>(group));
  progress.start(nspec);
  for (int first = 0; first < nspec; first += group) {
    const int count = std::min(group, nspec - first);
    FirstError failure;
    const auto evaluate = [&](int k) noexcept {
      try {
        const FloatingPointScope floating_point;
        spots[static_cast<size_t>(k)].evaluate(model, psf, grid.wavemin, grid.wavestep,
                                               first_fiber + first + k, 1, 0,
                                               static_cast<int>(grid.nwave));
      } catch (...) {
        failure.keep_current();
      }
    };
    if (group == 1) {
      evaluate(0);  // no parallel region: the OpenMP runtime is never started
    } else {
      note_parallel_region();
#pragma omp parallel for num_threads(group)
      for (int k = 0; k < count; ++k) evaluate(k);
    }
    failure.throw_if_any();
    for (int k = 0; k < count; ++k) {
      add_fiber(spots[static_cast<size_t>(k)], first_fiber + first + k,
                spectra + (first + k) * grid.nwave, grid, ccd, image);
      if (!progress.step()) fail(SPECEX_CANCELLED, "stopped by the progress callback");
    }
  }
}

}  // namespace specex
