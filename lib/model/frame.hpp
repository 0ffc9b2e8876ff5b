// SPDX-License-Identifier: BSD-3-Clause
//
// From patches to a frame: trims what belongs to the padding or to fibres that were not
// asked for, and places the rest.
#pragma once

#include <specex/specex.h>

#include <cstddef>

namespace specex {

// Throws ARGUMENT unless the frame's sizes are positive and its arrays can be indexed.
void check_frame(const specex_frame &frame);

// Every bin: no flux, ivar 0, NODATA. The model image: 0. The counts: 0.
void clear_frame(specex_frame &frame, int threads = 1);
// Of it what is added to: for a frame whose bins will all be written.
void clear_sums(specex_frame &frame, int threads = 1);
void clear_counts(specex_frame &frame);

// Adds one patch, which has as many diagonals as the frame.
void place_patch(const specex_patch &patch, const specex_result &result,
                 specex_frame &frame);

// Counts a patch by what became of it.
void count_patch(specex_status status, int32_t path, specex_frame &frame);

// Elements of a patch's model image.
size_t model_size(const specex_patch &patch);

// Sets BAD2DFIT where chi2pix exceeds 5 times its median over the fibres, at the same
// wavelength, and over the wavelengths, in the same fibre. Needs chi2pix and mask.
void flag_bad_fits(specex_frame &frame, int threads = 1);

}  // namespace specex
