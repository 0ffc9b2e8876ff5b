// SPDX-License-Identifier: BSD-3-Clause
//
// Files that are either what they were before, or complete.
#pragma once

#include "io/buffer.hpp"

namespace specex::io {

// Writes a temporary file in the same directory, syncs it, and renames it to `name`
// (replacing a symbolic link, not what it points at). A name that ends in .gz is
// compressed. On failure the temporary file is removed and an existing one stays.
// Errors: ARGUMENT, IO, MEMORY.
void replace_file(const char *name, const Buffer &bytes);

}  // namespace specex::io
