// SPDX-License-Identifier: BSD-3-Clause
//
// PSF files. The kind is what PSFTYPE and PSFVER say; each kind has its own reader.
#pragma once

#include <specex/specex.h>

#include <string>
#include <vector>

#include "io/pass_through.hpp"

namespace specex::io {

struct PsfFile {
  specex_psf psf{};  // its arrays are those below
  std::vector<double> xtrace, ytrace, params;
  std::vector<std::string> names;
  std::vector<const char *> name_pointers;
  PassThrough pass;
};

// Missing or impossible keywords, HDUs and sizes are FORMAT errors; other kinds than
// GAUSS-HERMITE version 3 are UNSUPPORTED. Values are checked by specex_set_psf.
PsfFile read_psf(const char *name);

}  // namespace specex::io
