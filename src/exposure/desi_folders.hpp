// SPDX-License-Identifier: BSD-3-Clause
//
// Frames to make from folders with the names of DESI's pipeline:
//   preproc-r0-00051060.fits[.gz|.fz], psf-r0-00051060.fits, frame-r0-00051060.fits,
// in the folders themselves or in NIGHT/EXPID/ inside them.
#pragma once

#include <string>
#include <vector>

#include "exposure/manifest.hpp"

namespace specex_cli {

struct DesiFolders {
  std::string preproc;
  std::string psf;
  std::string frames;
  std::string night;                 // "": all
  std::vector<int64_t> expids;       // none: all
  std::vector<std::string> cameras;  // "r0", or "r" for all of that colour; none: all
  bool gzip = false;                 // whether frames are compressed
};

// The preproc files that are there, with the PSF of the same exposure, else the only one
// of the camera in the PSF folder. Throws a Failure if there is none.
std::vector<ManifestRow> find_frames(const DesiFolders &folders);

}  // namespace specex_cli
