// SPDX-License-Identifier: BSD-3-Clause
#include "base/error.hpp"

#include <cstdarg>
#include <cstdio>
#include <new>

namespace specex {

Error::Error(specex_status status, const char *message) noexcept : status_(status) {
  std::snprintf(message_.data(), message_.size(), "%s", message);
}

void fail(specex_status status, const char *format, ...) {
  std::array<char, 1024> text{};
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text.data(), text.size(), format, arguments);
  va_end(arguments);
  throw Error(status, text.data());
}

Error current_error() noexcept {
  try {
    throw;
  } catch (const Error &error) {
    return error;
  } catch (const std::bad_alloc &) {
    return {SPECEX_ERROR_MEMORY, "out of memory"};
  } catch (const std::exception &error) {
    return {SPECEX_ERROR_INTERNAL, error.what()};
  } catch (...) {
    return {SPECEX_ERROR_INTERNAL, "unknown error"};
  }
}

void FirstError::keep_current() noexcept {
  const Error error = current_error();
  const std::lock_guard lock(mutex_);
  if (!error_) error_ = error;
}

void FirstError::throw_if_any() const {
  if (error_) throw Error(*error_);
}

}  // namespace specex
