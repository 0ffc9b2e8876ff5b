// SPDX-License-Identifier: BSD-3-Clause
#include "model/grid.hpp"

#include <cmath>

#include "base/error.hpp"

namespace specex {
namespace {
constexpr int64_t max_nwave = 1 << 22;
}

void check_grid(const specex_grid &grid) {
  if (!std::isfinite(grid.wavemin) || !std::isfinite(grid.wavestep) ||
      !(grid.wavestep > 0.0) || !(grid.wavemin > 0.0))
    fail(SPECEX_ERROR_ARGUMENT, "a grid from %g Angstrom in steps of %g is not usable",
         grid.wavemin, grid.wavestep);
  if (grid.nwave < 1 || grid.nwave > max_nwave)
    fail(SPECEX_ERROR_ARGUMENT, "grid.nwave is %lld; it must be from 1 to %lld",
         static_cast<long long>(grid.nwave), static_cast<long long>(max_nwave));
}

specex_grid grid_from_range(double wavemin, double wavemax, double wavestep) {
  specex_grid grid{};
  grid.struct_size = sizeof grid;
  grid.wavemin = wavemin;
  grid.wavestep = wavestep;
  // numpy.arange(wavemin, wavemax + wavestep / 2, wavestep) has this many elements.
  const double count = std::ceil((wavemax + 0.5 * wavestep - wavemin) / wavestep);
  if (!(count >= 1.0) || count > static_cast<double>(max_nwave))
    fail(SPECEX_ERROR_ARGUMENT, "%g to %g Angstrom in steps of %g is no wavelength grid",
         wavemin, wavemax, wavestep);
  grid.nwave = static_cast<int64_t>(count);
  check_grid(grid);
  return grid;
}

}  // namespace specex
