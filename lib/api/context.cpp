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

thread_local std::array<char, 1024> orphan_message{};

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
  registry().contexts.emplace(key, std::move(context));
}

void destroy_context(specex_context *context) {
  enter(context);  // and nobody leaves: the handle ends here
  const std::lock_guard lock(registry().mutex);
  registry().contexts.erase(context);
}

ContextLock::ContextLock(specex_context *context) : context_(context) { enter(context); }

ContextLock::~ContextLock() { context_->busy = false; }

specex_status remember_without_context(const Error &error) noexcept {
  std::snprintf(orphan_message.data(), orphan_message.size(), "%s", error.what());
  return error.status();
}

const char *context_message(const specex_context *context) noexcept {
  const std::lock_guard lock(registry().mutex);
  const auto found = registry().contexts.find(context);
  return found == registry().contexts.end() ? "not a live context"
                                            : found->second->last_error.c_str();
}

const char *last_error_without_context() noexcept { return orphan_message.data(); }

}  // namespace specex
