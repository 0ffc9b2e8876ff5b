// SPDX-License-Identifier: BSD-3-Clause
//
// The program's log: lines LEVEL:file:line:function: message on the standard output, as
// DESI's pipeline writes and reads them. Errors that end the program are not logged but
// said in one sentence on the standard error.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace specex_cli {

struct CodePlace {
  const char *file;
  int line;
  const char *function;

  static constexpr CodePlace here(const char *file = __builtin_FILE(),
                                  int line = __builtin_LINE(),
                                  const char *function = __builtin_FUNCTION()) {
    return {file, line, function};
  }
};

// level: SPECEX_LOG_...
void log_message(int32_t level, const std::string &message, CodePlace place);
void log_info(const std::string &message, CodePlace place = CodePlace::here());
void log_warning(const std::string &message, CodePlace place = CodePlace::here());
void log_error(const std::string &message, CodePlace place = CodePlace::here());

// Messages below this level are not shown. name: debug, info, warning or error in any
// case, or "" for $DESI_LOGLEVEL, else the default of the subcommand.
void set_log_level(const std::string &name, int32_t otherwise);

// The line that desispec's log reader collects: how long a file took to read or write.
void log_io_time(const char *read_or_write, const std::string &path,
                 std::chrono::steady_clock::time_point start,
                 CodePlace place = CodePlace::here());

double seconds_since(std::chrono::steady_clock::time_point start);

// A std::string by printf's rules.
[[gnu::format(__printf__, 1, 2)]] std::string text(const char *format, ...);

}  // namespace specex_cli
