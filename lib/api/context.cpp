// SPDX-License-Identifier: BSD-3-Clause
#include "api/context.hpp"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <map>
#include <mutex>

#include "base/threads.hpp"

specex_context::specex_context(const specex_options &options)
    : engine(options),
      threads(specex::wanted_threads(options.num_threads)),
      process(getpid()) {}

specex_status specex_context::remember(const specex::Error &error) noexcept {
  try {
    last_error = error.what();
  } catch (...) {
    last_error.clear();  // out of memory: the status alone has to do
  }
  return error.status();
}

namespace specex {
namespace {

struct Registry {
  std::mutex mutex;
  std::map<const specex_context *, std::unique_ptr<specex_context>> contexts;
};

// Never destroyed, so that contexts may be used and freed while the process ends.
Registry &registry() {
  static auto *instance = new Registry;
  return *instance;
}

// The last failure of this thread that its context could not keep, and the handle that
// was at fault, if there was one.
thread_local std::array<char, 1024> orphan_message{};
thread_local const specex_context *handle_at_fault = nullptr;

// Marks the context as in use. Throws unless it is live, free and of this process.
void enter(const specex_context *context) {
  if (context == nullptr) fail(SPECEX_ERROR_ARGUMENT, "context is NULL");
  const std::lock_guard lock(registry().mutex);
  const auto found = registry().contexts.find(context);
  if (found == registry().contexts.end())
    fail(SPECEX_ERROR_HANDLE, "the context was never created or is destroyed already");
  if (found->second->process != getpid())
    fail(SPECEX_ERROR_FORKED,
         "the context was made before a fork; create one in the child");
  if (found->second->busy.exchange(true))
    fail(SPECEX_ERROR_BUSY,
         "another thread is inside this context; create one per thread");
}

}  // namespace

void register_context(std::unique_ptr<specex_context> context) {
  const std::lock_guard lock(registry().mutex);
  const specex_context *key = context.get();
  if (handle_at_fault == key) handle_at_fault = nullptr;  // an earlier one's address
  registry().contexts.emplace(key, std::move(context));
}

void destroy_context(specex_context *context) {
  enter(context);  // and nobody leaves: the handle ends here
  std::unique_lock lock(registry().mutex);
  const auto gone = registry().contexts.extract(context);
  lock.unlock();  // others need not wait while its memory is freed
}

ContextLock::ContextLock(specex_context *context) : context_(context) {
  enter(context);
  if (handle_at_fault == context) handle_at_fault = nullptr;
}

ContextLock::~ContextLock() { context_->busy = false; }

specex_status remember_without_context(const Error &error,
                                       const specex_context *context) noexcept {
  std::snprintf(orphan_message.data(), orphan_message.size(), "%s", error.what());
  handle_at_fault = context;
  return error.status();
}

const char *last_message(const specex_context *context) noexcept {
  if (context == nullptr || context == handle_at_fault) return orphan_message.data();
  const std::lock_guard lock(registry().mutex);
  const auto found = registry().contexts.find(context);
  return found == registry().contexts.end() ? "not a live context"
                                            : found->second->last_error.c_str();
}

}  // namespace specex
