// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <specex/specex.h>

namespace specex {

// Centre of a bin, Angstrom; bins beyond the grid's ends are the padding.
inline double wavelength(const specex_grid &grid, int64_t bin) {
  return grid.wavemin + static_cast<double>(bin) * grid.wavestep;
}
inline double wavelength(const specex_patch &patch, int64_t bin) {
  return patch.wavemin + static_cast<double>(bin) * patch.wavestep;
}

// Throws ARGUMENT unless the grid is finite, rising and of a sane length.
void check_grid(const specex_grid &grid);

specex_grid grid_from_range(double wavemin, double wavemax, double wavestep);

}  // namespace specex
