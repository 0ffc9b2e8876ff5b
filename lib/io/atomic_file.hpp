// SPDX-License-Identifier: BSD-3-Clause
//
// Files that are either what they were before, or complete.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

namespace specex::io {

// Puts bytes at a place of a file. May be called by several threads at a time, which
// block the same signals as the thread that called replace_file.
using Put = std::function<void(size_t at, const uint8_t *bytes, size_t size)>;

// Writes a temporary file in the same directory, syncs it, and renames it to `name`
// (replacing a symbolic link, not what it points at). `fill` gives all of its `size`
// bytes, in any order. A name that ends in .gz is compressed. On failure, also of `fill`,
// the temporary file is removed and an existing one stays. Errors: ARGUMENT, IO, MEMORY.
void replace_file(const char *name, size_t size,
                  const std::function<void(const Put &)> &fill);

}  // namespace specex::io
