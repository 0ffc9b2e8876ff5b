// SPDX-License-Identifier: BSD-3-Clause
//
// The forward model: image = sum over fibres and bins of spot x flux.
#pragma once

#include <specex/specex.h>

#include "base/log.hpp"
#include "kernels/shared/spot_model.hpp"

namespace specex {

// spectra: [nspec][nwave], electrons per Angstrom. image: [ny][nx], electrons, added to.
// Spots are evaluated in parallel and added in the order of the fibres. Throws CANCELLED.
void project(const Psf &psf, const SpotModel &model, const specex_grid &grid,
             int first_fiber, int nspec, const double *spectra, int64_t nx, int64_t ny,
             double *image, int num_threads, Progress &progress);

}  // namespace specex
