// SPDX-License-Identifier: BSD-3-Clause
//
// The library never prints: messages and progress go to the caller's callbacks.
#pragma once

#include <specex/specex.h>

#include <mutex>

namespace specex {

class Log {
 public:
  void set(specex_log_callback callback, void *user) {
    callback_ = callback;
    user_ = user;
  }
  [[gnu::format(printf, 3, 4)]] void write(int32_t level, const char *format, ...) const;

 private:
  specex_log_callback callback_ = nullptr;
  void *user_ = nullptr;
};

// Counts patches of a run over all threads; the callback is never entered twice at a
// time.
class Progress {
 public:
  void set(specex_progress_callback callback, void *user) {
    callback_ = callback;
    user_ = user;
  }
  void start(int64_t total);
  // False once the caller has asked to stop.
  bool step();
  bool cancelled() const;

 private:
  specex_progress_callback callback_ = nullptr;
  void *user_ = nullptr;
  mutable std::mutex mutex_;
  int64_t done_ = 0;
  int64_t total_ = 0;
  bool cancelled_ = false;
};

}  // namespace specex
