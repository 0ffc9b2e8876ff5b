// SPDX-License-Identifier: BSD-3-Clause
#include "progress.hpp"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <string>

#include "session.hpp"

namespace specex_cli {
namespace {

volatile std::sig_atomic_t received_signal = 0;
bool is_drawn = false;

extern "C" void note_signal(int number) { received_signal = number; }

bool on_terminal() {
  static const bool answer = ::isatty(STDERR_FILENO) != 0;
  return answer;
}

}  // namespace

void draw_progress(int64_t done, int64_t total) {
  if (!on_terminal() || total <= 0) return;
  if (done >= total) {
    erase_progress();
    return;
  }
  constexpr int64_t width = 50;
  const auto filled = static_cast<size_t>(width * done / total);
  std::fprintf(stderr, "\r[%s%s] %3d%%", std::string(filled, '#').c_str(),
               std::string(width - filled, ' ').c_str(),
               static_cast<int>(100 * done / total));
  std::fflush(stderr);
  is_drawn = true;
}

void erase_progress() {
  if (!is_drawn) return;
  std::fprintf(stderr, "\r%60s\r", "");
  std::fflush(stderr);
  is_drawn = false;
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
