// SPDX-License-Identifier: BSD-3-Clause
//
// Reads a whole file into memory. (Mapped memory would end the process when somebody
// else truncates the file.)
#pragma once

#include <string>

#include "io/buffer.hpp"

namespace specex::io {

struct InputFile {
  std::string name;  // of the file that was read
  Buffer bytes;      // uncompressed
};

// Only regular files are read; NAME.gz is taken where NAME does not exist, and gzip is
// recognised by its content. Errors: ARGUMENT, IO, FORMAT (empty, damaged), LIMIT,
// MEMORY.
InputFile read_input_file(const char *name, int threads = 1);

}  // namespace specex::io
