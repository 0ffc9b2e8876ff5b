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
  const std::lock_guard lock(mutex_);
  done_ = 0;
  total_ = total;
  cancelled_ = callback_ != nullptr && callback_(0, total_, user_) != 0;
}

bool Progress::step() {
  const std::lock_guard lock(mutex_);
  ++done_;
  if (!cancelled_ && callback_ != nullptr)
    cancelled_ = callback_(done_, total_, user_) != 0;
  return !cancelled_;
}

bool Progress::cancelled() const {
  const std::lock_guard lock(mutex_);
  return cancelled_;
}

}  // namespace specex
