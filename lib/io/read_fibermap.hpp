// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/pass_through.hpp"

namespace specex::io {

// A file of which only the FIBERMAP is wanted.
struct FibermapFile {
  PassThrough pass;
};

// A file without FIBERMAP is a FORMAT error.
FibermapFile read_fibermap(const char *name);

}  // namespace specex::io
