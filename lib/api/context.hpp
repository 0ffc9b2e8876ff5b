// SPDX-License-Identifier: BSD-3-Clause
//
// What a specex_context holds, and the rules for entering it.
#pragma once

#include <specex/specex.h>
#include <sys/types.h>

#include <atomic>
#include <memory>
#include <string>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/stage_clock.hpp"
#include "engine/engine.hpp"

struct specex_context {
  explicit specex_context(const specex_options &options);

  // Keeps the message for specex_last_error and gives the status back.
  specex_status remember(const specex::Error &error) noexcept;

  specex::Log log;
  specex::Progress progress;
  specex::StageTotals stages;  // of the last extraction
  specex::Engine engine;
  int threads;  // that files may be read and written with
  std::string last_error;
  std::atomic<bool> busy{false};
  pid_t process;  // that made the context
};

namespace specex {

// Live contexts are registered, so that a stale or foreign pointer is recognised without
// being dereferenced.
void register_context(std::unique_ptr<specex_context> context);
void destroy_context(specex_context *context);

// Holds a context for one call. Throws HANDLE, FORKED or BUSY.
class ContextLock {
 public:
  explicit ContextLock(specex_context *context);
  ~ContextLock();
  ContextLock(const ContextLock &) = delete;
  ContextLock &operator=(const ContextLock &) = delete;

 private:
  specex_context *context_;
};

// Keeps a failure for this thread: one without a context, or one whose context could not
// be entered and so not keep it.
specex_status remember_without_context(const Error &error,
                                       const specex_context *context = nullptr) noexcept;

// The context's last failure or, of NULL, this thread's last without one; a message to
// that effect for a pointer that is no context.
const char *last_message(const specex_context *context) noexcept;

}  // namespace specex
