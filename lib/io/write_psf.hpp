// SPDX-License-Identifier: BSD-3-Clause
//
// PSF files in specex's GAUSS-HERMITE version 3 format: XTRACE, YTRACE, PSF.
#pragma once

#include <specex/specex.h>

#include "io/output.hpp"

namespace specex::io {

void write_psf(const char *name, const specex_psf &psf, const Output &output);

}  // namespace specex::io
