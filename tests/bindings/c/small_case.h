// SPDX-License-Identifier: BSD-3-Clause
//
// A PSF of three fibres, a grid of twenty bins and an image of both without noise.
#ifndef SPECEX_TEST_SMALL_CASE_H
#define SPECEX_TEST_SMALL_CASE_H

#include <specex/specex.h>

enum { NSPEC = 3, NWAVE = 20, NX = 36, NY = 80, NDIAG = 9, NBIN = NSPEC * NWAVE };

// Views of tables that last as long as the program.
specex_psf small_psf(void);
specex_grid small_grid(void);
specex_image small_image(specex_context *context);  // which has the PSF

// NULL where it could not be made; its options give two patches.
specex_context *small_context(void);

// Of which the flux and what a frame needs are in static arrays.
specex_frame small_frame(void);

#endif
