// SPDX-License-Identifier: BSD-3-Clause
//
// Frames as desispec reads them.
#pragma once

#include <specex/specex.h>

#include "io/output.hpp"

namespace specex::io {

// HDUs, in this order: FLUX, IVAR, MASK, WAVELENGTH, RESOLUTION, FIBERMAP, CHI2PIX,
// PIXMASK_FRACTION, SCORES; arrays that are NULL (but FLUX) are left out.
//
// FIBERMAP: the input's, if it has a row for each of the frame's fibres; if it has one
// for each fibre of the camera, the rows of [first_fiber, first_fiber + nspec). A table
// that is neither is left out, since its rows could not be told apart.
//
// SCORES: left out if no bin is in the wavelength range that the scores are defined in.
void write_frame(const char *name, const specex_frame &frame, const Output &output);

}  // namespace specex::io
