// SPDX-License-Identifier: BSD-3-Clause
//
// What the solution says about the pixels: chi2pix and the model image, from stamps.
#pragma once

#include "kernels/shared/finish.hpp"
#include "kernels/shared/patch_pixels.hpp"

namespace specex {

// chi2pix of core fibres and bins = sum_p A_pq chi2_p / sum_p A_pq over usable pixels p,
// where the model behind chi2_p is A f of all padded bins.
void fill_chi2pix(const Run &run, const specex_patch &patch, const SpotTable &spots,
                  const PatchPixels &pixels, const Solution &solution,
                  const PatchOutput &output);

// The light of the core bins, added to an image over a box.
void add_model(const Run &run, const specex_patch &patch, const SpotTable &spots,
               const Box &box, const Solution &solution, double *model);

}  // namespace specex
