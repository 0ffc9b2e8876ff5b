// SPDX-License-Identifier: BSD-3-Clause
#include "log.hpp"

#include <specex/specex.h>
#include <sys/time.h>

#include <algorithm>
#include <cctype>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>

#include "progress.hpp"

namespace specex_cli {
namespace {

// Subcommands that print results show only warnings, unless they say otherwise.
int32_t lowest_level = SPECEX_LOG_WARNING;

const char *level_name(int32_t level) {
  if (level >= SPECEX_LOG_ERROR) return "ERROR";
  if (level >= SPECEX_LOG_WARNING) return "WARNING";
  return level >= SPECEX_LOG_INFO ? "INFO" : "DEBUG";
}

// Local time, as Python's datetime.now().isoformat() has it.
std::string iso_time() {
  timeval now;
  ::gettimeofday(&now, nullptr);
  std::tm local;
  ::localtime_r(&now.tv_sec, &local);
  char seconds[32];
  std::strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &local);
  return text("%s.%06ld", seconds, static_cast<long>(now.tv_usec));
}

}  // namespace

void log_message(int32_t level, const std::string &message, CodePlace place) {
  if (level < lowest_level) return;
  const std::lock_guard lock(terminal());
  erase_progress();
  const char *slash = std::strrchr(place.file, '/');
  std::printf("%s:%s:%d:%s: %s\n", level_name(level), slash ? slash + 1 : place.file,
              place.line, place.function, message.c_str());
  std::fflush(stdout);
}

void log_info(const std::string &message, CodePlace place) {
  log_message(SPECEX_LOG_INFO, message, place);
}

void log_warning(const std::string &message, CodePlace place) {
  log_message(SPECEX_LOG_WARNING, message, place);
}

void log_error(const std::string &message, CodePlace place) {
  log_message(SPECEX_LOG_ERROR, message, place);
}

void set_log_level(const std::string &name, int32_t otherwise) {
  const char *environment = std::getenv("DESI_LOGLEVEL");
  std::string wanted = !name.empty() ? name : environment ? environment : "";
  std::transform(wanted.begin(), wanted.end(), wanted.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  lowest_level = wanted == "debug"                           ? SPECEX_LOG_DEBUG
                 : wanted == "info"                          ? SPECEX_LOG_INFO
                 : wanted == "warning" || wanted == "warn"   ? SPECEX_LOG_WARNING
                 : wanted == "error" || wanted == "critical" ? SPECEX_LOG_ERROR
                                                             : otherwise;
}

void log_io_time(const char *read_or_write, const std::string &path,
                 std::chrono::steady_clock::time_point start, CodePlace place) {
  const std::string name = std::filesystem::path(path).filename().string();
  log_message(SPECEX_LOG_INFO,
              text("iotime %.3f sec to %s %s at %s", seconds_since(start), read_or_write,
                   name.c_str(), iso_time().c_str()),
              place);
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::string text(const char *format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  std::va_list again;
  va_copy(again, arguments);
  const int length = std::vsnprintf(nullptr, 0, format, arguments);
  va_end(arguments);
  std::string result(length > 0 ? static_cast<size_t>(length) : 0, '\0');
  std::vsnprintf(result.data(), result.size() + 1, format, again);
  va_end(again);
  return result;
}

}  // namespace specex_cli
