// SPDX-License-Identifier: BSD-3-Clause
//
// gzip files (RFC 1952) in memory, through libdeflate.
#pragma once

#include <string_view>

#include "io/buffer.hpp"

namespace specex::io {

inline constexpr size_t smallest_gzip = 18;  // bytes

// By its first bytes; of a larger file no others need be set.
bool is_gzip(const Buffer &bytes);

// All members of a file, one after the other. `name` is for messages.
// Errors: FORMAT (damaged), LIMIT (expands too much), MEMORY.
Buffer gunzip(const Buffer &compressed, std::string_view name);

Buffer gzip(const Buffer &bytes);

}  // namespace specex::io
