// SPDX-License-Identifier: BSD-3-Clause
#include "base/error.hpp"

#include <array>
#include <cstdarg>
#include <cstdio>
#include <new>

namespace specex {

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
    return {SPECEX_ERROR_MEMORY, "out of memory"};  // short enough not to allocate
  } catch (const std::exception &error) {
    return {SPECEX_ERROR_INTERNAL, error.what()};
  } catch (...) {
    return {SPECEX_ERROR_INTERNAL, "unknown error"};
  }
}

void FirstError::keep_current() noexcept {
  Error error = current_error();
  const std::lock_guard lock(mutex_);
  if (!error_) error_ = std::move(error);
}

void FirstError::throw_if_any() const {
  if (error_) throw Error(*error_);
}

}  // namespace specex
