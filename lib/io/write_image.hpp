// SPDX-License-Identifier: BSD-3-Clause
//
// Preproc files: IMAGE and, where given, IVAR, MASK and the input's FIBERMAP.
#pragma once

#include <specex/specex.h>

#include "io/output.hpp"

namespace specex::io {

// image.ivar and mask may be NULL.
void write_image(const char *name, const specex_image &image, const int32_t *mask,
                 const Output &output);

}  // namespace specex::io
