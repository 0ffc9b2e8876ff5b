// SPDX-License-Identifier: BSD-3-Clause
//
// Errors travel as exceptions inside the library and become statuses at its edge
// (api/guard.hpp). A message is one sentence: what, where, what to do.
#pragma once

#include <specex/specex.h>

#include <array>
#include <exception>
#include <mutex>
#include <optional>
#include <type_traits>

namespace specex {

// Holds its text itself: errors are copied where memory may be what is wanting.
class Error : public std::exception {
 public:
  Error(specex_status status, const char *message) noexcept;

  specex_status status() const noexcept { return status_; }
  const char *what() const noexcept override { return message_.data(); }

 private:
  specex_status status_;
  std::array<char, 1024> message_;
};
static_assert(std::is_nothrow_copy_constructible_v<Error>);

// Throws an Error whose message is formatted.
[[noreturn]] [[gnu::format(__printf__, 2, 3)]] void fail(specex_status status,
                                                         const char *format, ...);

// The status and message of the exception being handled; for catch (...) blocks.
Error current_error() noexcept;

// The first failure of several threads, to be thrown once they have joined.
class FirstError {
 public:
  void keep_current() noexcept;  // in a catch (...) block
  void throw_if_any() const;     // after the threads have ended

 private:
  std::mutex mutex_;
  std::optional<Error> error_;
};

}  // namespace specex
