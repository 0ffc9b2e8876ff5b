// SPDX-License-Identifier: BSD-3-Clause
//
// Made-up spectra of a night: sky continuum and lines shared by all fibres, and behind
// each fibre nothing, a star, a galaxy or a quasar.
#pragma once

#include <specex/specex.h>

#include <cstdint>
#include <vector>

namespace specex_cli {

// Mean of each spectrum over each bin of the grid, [nspec][nwave], electrons per
// Angstrom. What a fibre sees depends on the seed and the fibre's number alone.
std::vector<double> make_spectra(const specex_grid &grid, int32_t first_fiber,
                                 int32_t nspec, uint64_t seed);

}  // namespace specex_cli
