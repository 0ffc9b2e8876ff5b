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

// Some bins of a fibre, whose spots are evaluated at a time: so many that threads are
// kept busy, and so few that memory does not grow with the grid.
struct Part {
  int fiber;  // of those that are projected
  int first_bin;
  int nbin;
};

constexpr int64_t bins_of_part = 512;

int64_t parts_of(const specex_grid &grid) {
  return (grid.nwave + bins_of_part - 1) / bins_of_part;
}

Part part_of(const specex_grid &grid, int64_t number) {
  const int64_t first = number % parts_of(grid) * bins_of_part;
  return {static_cast<int>(number / parts_of(grid)), static_cast<int>(first),
          static_cast<int>(std::min(bins_of_part, grid.nwave - first))};
}

void add_part(const SpotTable &spots, int first_fiber, const Part &part,
              const double *spectrum, double wavestep, const Box &ccd, double *image) {
  for (int w = part.first_bin; w < part.first_bin + part.nbin; ++w) {
    const Stamp stamp = spots.stamp(first_fiber + part.fiber, w);
    const Box inside = intersect(stamp.box, ccd);
    const double electrons = spectrum[w] * wavestep;
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
  const int64_t count = nspec * parts_of(grid);
  const int group = static_cast<int>(std::clamp<int64_t>(num_threads, 1, count));
  std::vector<SpotTable> spots(static_cast<size_t>(group));
  progress.start(nspec);
  for (int64_t first = 0; first < count; first += group) {
    const int here = static_cast<int>(std::min<int64_t>(group, count - first));
    FirstError failure;
    const auto evaluate = [&](int k) noexcept {
      try {
        const FloatingPointScope floating_point;
        const Part part = part_of(grid, first + k);
        spots[static_cast<size_t>(k)].evaluate(model, psf, grid.wavemin, grid.wavestep,
                                               first_fiber + part.fiber, 1,
                                               part.first_bin, part.nbin);
      } catch (...) {
        failure.keep_current();
      }
    };
    if (group == 1) {
      evaluate(0);  // no parallel region: the OpenMP runtime is never started
    } else {
      note_parallel_region();
#pragma omp parallel for num_threads(group)
      for (int k = 0; k < here; ++k) evaluate(k);
    }
    failure.throw_if_any();
    for (int k = 0; k < here; ++k) {
      const Part part = part_of(grid, first + k);
      add_part(spots[static_cast<size_t>(k)], first_fiber, part,
               spectra + part.fiber * grid.nwave, grid.wavestep, ccd, image);
      const bool last = part.first_bin + part.nbin == grid.nwave;
      if (last && !progress.step())
        fail(SPECEX_CANCELLED, "stopped by the progress callback");
    }
  }
}

}  // namespace specex
