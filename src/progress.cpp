// SPDX-License-Identifier: BSD-3-Clause
#include "progress.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>

#include "session.hpp"

namespace specex_cli {
namespace {

std::atomic<int> received_signal = 0;
static_assert(std::atomic<int>::is_always_lock_free);  // a handler may set it
size_t drawn_width = 0;                                // columns; 0: no bar is there

extern "C" void note_signal(int number) { received_signal = number; }

}  // namespace

std::recursive_mutex &terminal() {
  static std::recursive_mutex mutex;
  return mutex;
}

bool on_terminal() {
  static const bool answer = ::isatty(STDERR_FILENO) != 0;
  return answer;
}

void draw_progress(int64_t done, int64_t total) {
  if (!on_terminal() || total <= 0) return;
  if (done >= total) {
    erase_progress();
    return;
  }
  draw_progress(static_cast<double>(done) / static_cast<double>(total), "");
}

void draw_progress(double fraction, const std::string &remark) {
  if (!on_terminal()) return;
  const std::lock_guard lock(terminal());
  const double width = remark.empty() ? 50 : 20;
  const auto filled = static_cast<size_t>(width * std::clamp(fraction, 0.0, 1.0));
  std::string line = "[" + std::string(filled, '#') +
                     std::string(static_cast<size_t>(width) - filled, ' ') + "] ";
  line +=
      remark.empty() ? std::to_string(static_cast<int>(100 * fraction)) + "%" : remark;
  const size_t length = line.size();
  if (length < drawn_width) line.append(drawn_width - length, ' ');
  std::fprintf(stderr, "\r%s", line.c_str());
  std::fflush(stderr);
  drawn_width = length;
}

void erase_progress() {
  const std::lock_guard lock(terminal());
  if (drawn_width == 0) return;
  std::fprintf(stderr, "\r%s\r", std::string(drawn_width, ' ').c_str());
  std::fflush(stderr);
  drawn_width = 0;
}

void stop_on_signals() {
  struct sigaction action {};
  action.sa_handler = note_signal;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

int stop_signal() { return received_signal; }

int stop_exit_code() { return 128 + received_signal; }

void throw_if_stopped() {
  if (received_signal == 0) return;
  throw Failure(stop_exit_code(), received_signal == SIGINT
                                      ? "interrupted; nothing was written"
                                      : "terminated; nothing was written");
}

}  // namespace specex_cli
