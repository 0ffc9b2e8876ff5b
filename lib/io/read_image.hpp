// SPDX-License-Identifier: BSD-3-Clause
//
// A preproc file: IMAGE, IVAR and, where present, MASK and FIBERMAP.
#pragma once

#include <specex/specex.h>

#include "io/pass_through.hpp"

namespace specex::io {

struct ImageFile {
  int32_t type = SPECEX_FLOAT32;  // float64 if any of the two needs it
  int64_t nx = 0;
  int64_t ny = 0;
  Buffer pixels;
  Buffer ivar;  // 0 where MASK has one of the bad bits
  PassThrough pass;

  specex_image view() const;
};

ImageFile read_image(const char *name, uint32_t badmask, int threads = 1);

}  // namespace specex::io
