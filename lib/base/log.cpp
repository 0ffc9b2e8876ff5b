// SPDX-License-Identifier: BSD-3-Clause
#include "base/log.hpp"

#include <array>
#include <cstdarg>
#include <cstdio>

namespace specex {

void Log::write(int32_t level, const char *format, ...) const {
  if (callback_ == nullptr) return;
  std::array<char, 1024> text{};
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text.data(), text.size(), format, arguments);
  va_end(arguments);
  callback_(level, text.data(), user_);
}

void Progress::start(int64_t total) {
  total_ = total;
  caller_ = std::this_thread::get_id();
  done_ = 0;
  reported_ = -1;
  cancelled_ = false;
  report();
}

bool Progress::step() {
  ++done_;
  return !cancelled();
}

bool Progress::cancelled() {
  if (std::this_thread::get_id() == caller_) report();
  return cancelled_;
}

void Progress::report() {
  while (callback_ != nullptr && !cancelled_ && reported_ < done_)
    cancelled_ = callback_(++reported_, total_, user_) != 0;
}

}  // namespace specex
