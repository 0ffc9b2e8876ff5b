// SPDX-License-Identifier: BSD-3-Clause
//
// Which wavelengths to extract: as asked for, or those of the camera.
#pragma once

#include <specex/specex.h>

#include <string>

namespace specex_cli {

struct WavelengthRange {
  double wavemin;   // Angstrom, the first bin's centre
  double wavemax;   // Angstrom, at most half a step beyond the last bin's centre
  double wavestep;  // Angstrom

  specex_grid grid() const;
};

// Reads "wavemin,wavemax,wavestep". Throws a Failure.
WavelengthRange parse_wavelengths(const std::string &value);

// The range DESI extracts for a camera ("b0", "R3", "z"), without the bins that the PSF
// does not cover. Throws a Failure where the camera is not known.
WavelengthRange camera_wavelengths(const std::string &camera,
                                   const specex_psf_info &coverage);

}  // namespace specex_cli
