// SPDX-License-Identifier: BSD-3-Clause
//
// gzip files (RFC 1952) in memory, through libdeflate.
#pragma once

#include <string_view>

#include "io/buffer.hpp"

namespace specex::io {

bool is_gzip(const Buffer &bytes);

// All members of a file, one after the other. `name` is for messages.
// Errors: FORMAT (damaged), LIMIT (expands too much), MEMORY.
Buffer gunzip(const Buffer &compressed, std::string_view name);

Buffer gzip(const Buffer &bytes);

}  // namespace specex::io
