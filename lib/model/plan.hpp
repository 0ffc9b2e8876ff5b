// SPDX-License-Identifier: BSD-3-Clause
//
// Divides a range of fibres and a wavelength grid into patches: bundles, sub-bundles of
// fibres, steps of bins, and the padding around each. Integers only, no pixels.
#pragma once

#include <specex/specex.h>

#include <vector>

#include "model/psf.hpp"

namespace specex {

struct Division {
  int bundlesize;
  int nsubbundles;     // at most the fibres of a bundle are made
  int nwavestep;       // bins
  int wavepad;         // bins on each side
  double pixpad_frac;  // share of the padding's rows that is used
  bool literal;        // patches are exactly gpu_specter's, wherever that leads
};

// Solved bins of a patch, and patches of a plan, at most: their products with all that
// goes with them stay far from overflow, and their memory from what no machine has.
inline constexpr int64_t max_unknowns = int64_t{1} << 26;
inline constexpr int64_t max_patches = int64_t{1} << 24;

// Throws ARGUMENT or RANGE.
std::vector<specex_patch> make_plan(const Psf &psf, const specex_grid &grid,
                                    const Division &division, int first_fiber, int nspec,
                                    int threads = 1);

// Throws ARGUMENT unless [first_fiber, first_fiber + nspec) are fibres of the PSF.
void check_fibers(const Psf &psf, int first_fiber, int nspec);

// Throws RANGE where the grid leaves the PSF's wavelength range by more than 1% of it.
void check_coverage(const Psf &psf, const specex_grid &grid);

}  // namespace specex
