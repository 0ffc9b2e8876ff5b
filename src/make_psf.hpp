// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>

#include "session.hpp"

namespace specex_cli {

struct MakePsfOptions {
  char camera = 'r';  // b, r or z
  std::string output;
  int32_t nspec = 500;
  uint64_t seed = 0;
};

// Writes a PSF file that PsfModel makes up.
void make_psf(const Context &context, const MakePsfOptions &options);

}  // namespace specex_cli
