// SPDX-License-Identifier: BSD-3-Clause
//
// Errors of the library's inside: their status, and what their message must name.
#pragma once

#include <string>
#include <utility>

#include "base/error.hpp"
#include "support/cmocka.hpp"

namespace specex::test {

template <class Call>
void expect_error(specex_status status, const std::string &part, Call &&call) {
  try {
    std::forward<Call>(call)();
  } catch (const Error &error) {
    if (error.status() != status)
      fail_msg("expected %s, got %s: %s", specex_status_name(status),
               specex_status_name(error.status()), error.what());
    if (std::string(error.what()).find(part) == std::string::npos)
      fail_msg("'%s' is not in the message: %s", part.c_str(), error.what());
    return;
  }
  fail_msg("no error where %s was expected (%s)", specex_status_name(status),
           part.c_str());
}

}  // namespace specex::test
