// SPDX-License-Identifier: BSD-3-Clause
//
// File names are literal: nothing in them is interpreted, here or by a library below.
#pragma once

#include <string>
#include <string_view>

namespace specex::io {

// A name for a one-line message: in quotes, control characters as ?, the middle of a very
// long one left out.
std::string quoted(std::string_view name);

bool ends_with_gz(std::string_view name);

// Fails with ARGUMENT if a name is NULL or empty.
void check_file_name(const char *name);

// Fails with IO and the reason of `error_number`: "cannot <what> '<name>': <reason>".
[[noreturn]] void fail_with_errno(const char *what, std::string_view name,
                                  int error_number);

}  // namespace specex::io
