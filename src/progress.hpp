// SPDX-License-Identifier: BSD-3-Clause
//
// The bar that shows how far a long call is, on a terminal only, and the signals that
// stop it.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

namespace specex_cli {

// Held while something is written for people to read, so that threads do not mix lines.
std::recursive_mutex &terminal();

bool on_terminal();

// A bar on the standard error, if that is a terminal; gone when done reaches total.
void draw_progress(int64_t done, int64_t total);
// A bar with something to say behind it.
void draw_progress(double fraction, const std::string &remark);
void erase_progress();

// From now on a first SIGINT or SIGTERM only asks to stop; a second one ends the process.
void stop_on_signals();

// The signal that asked to stop, 0 if none did.
int stop_signal();

// 128 + the signal, as shells report it.
int stop_exit_code();

// Throws a Failure if a signal asked to stop: to be called between steps.
void throw_if_stopped();

}  // namespace specex_cli
