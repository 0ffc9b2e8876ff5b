// SPDX-License-Identifier: BSD-3-Clause
//
// The caller's floating-point environment (rounding, traps, flush to zero) must neither
// change our results nor be changed by us.
#pragma once

#include <cfenv>

namespace specex {

// Default environment from construction to destruction, on this thread.
class FloatingPointScope {
 public:
  FloatingPointScope() noexcept {
    std::fegetenv(&saved_);
    std::fesetenv(FE_DFL_ENV);
  }
  ~FloatingPointScope() { std::fesetenv(&saved_); }
  FloatingPointScope(const FloatingPointScope &) = delete;
  FloatingPointScope &operator=(const FloatingPointScope &) = delete;

 private:
  std::fenv_t saved_;
};

}  // namespace specex
