// SPDX-License-Identifier: BSD-3-Clause
//
// Input files as they lie on the disk, before they are read.
#pragma once

#include <cstdint>
#include <string>

namespace specex_cli {

// The file that is read for a path: x.fits.gz where x.fits does not exist.
std::string file_to_read(const std::string &path);

// Tells versions of a file apart: its name without folders, size and time of change. ""
// for a path "".
std::string identity_of(const std::string &path);

bool is_compressed(const std::string &path);

// Bytes on the disk, and once it is expanded; 0 where there is no such file.
int64_t size_of(const std::string &path);
int64_t expanded_size_of(const std::string &path);

}  // namespace specex_cli
