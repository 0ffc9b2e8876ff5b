// SPDX-License-Identifier: BSD-3-Clause
//
// The edge of the library: every exported function runs its body in a guard, which turns
// exceptions into statuses, keeps the message for specex_last_error, and gives the caller
// back the floating-point environment and errno as they were.
#pragma once

#include <cerrno>
#include <utility>

#include "api/context.hpp"
#include "base/error.hpp"
#include "base/floating_point.hpp"

namespace specex {

// For functions that need a live context which nobody else is using.
template <class Body>
specex_status with_context(specex_context *context, Body &&body) noexcept {
  const int saved_errno = errno;
  const FloatingPointScope floating_point;
  specex_status status = SPECEX_OK;
  try {
    ContextLock lock(context);
    try {
      status = std::forward<Body>(body)(*context);
    } catch (...) {
      status = context->remember(current_error());
    }
  } catch (...) {  // the handle itself is at fault: there is no context to remember it
    status = remember_without_context(current_error(), context);
  }
  errno = saved_errno;
  return status;
}

// For functions without a context, or with one that they do not enter as others do.
template <class Body>
specex_status without_context(Body &&body,
                              const specex_context *context = nullptr) noexcept {
  const int saved_errno = errno;
  const FloatingPointScope floating_point;
  specex_status status = SPECEX_OK;
  try {
    status = std::forward<Body>(body)();
  } catch (...) {
    status = remember_without_context(current_error(), context);
  }
  errno = saved_errno;
  return status;
}

}  // namespace specex
