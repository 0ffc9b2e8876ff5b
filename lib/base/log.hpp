// SPDX-License-Identifier: BSD-3-Clause
//
// The library never prints: messages and progress go to the caller's callbacks.
#pragma once

#include <specex/specex.h>

#include <atomic>
#include <thread>

namespace specex {

class Log {
 public:
  void set(specex_log_callback callback, void *user) {
    callback_ = callback;
    user_ = user;
  }
  [[gnu::format(__printf__, 3, 4)]] void write(int32_t level, const char *format,
                                               ...) const;

 private:
  specex_log_callback callback_ = nullptr;
  void *user_ = nullptr;
};

// Counts patches of a run over all threads. Only the thread that started the run tells
// the callback of them: the runtimes of some languages cannot be entered from threads
// that they do not know.
class Progress {
 public:
  void set(specex_progress_callback callback, void *user) {
    callback_ = callback;
    user_ = user;
  }
  void start(int64_t total);
  // Another patch is done. False once the caller has asked to stop.
  bool step();
  // Whether the caller has asked to stop. Where work is divided, every thread asks before
  // each part, and the one that started the run once more when all is done.
  bool cancelled();

 private:
  void report();

  specex_progress_callback callback_ = nullptr;
  void *user_ = nullptr;
  int64_t total_ = 0;
  std::thread::id caller_;
  int64_t reported_ = 0;  // known to the caller's thread alone
  std::atomic<int64_t> done_{0};
  std::atomic<bool> cancelled_{false};
};

}  // namespace specex
