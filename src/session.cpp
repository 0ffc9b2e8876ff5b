// SPDX-License-Identifier: BSD-3-Clause
#include "session.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <new>

#include "log.hpp"
#include "progress.hpp"

namespace specex_cli {

int exit_code_of(specex_status status) {
  switch (status) {
    case SPECEX_OK:
      return exit_good;
    case SPECEX_PARTIAL:
      return exit_degraded;
    case SPECEX_ERROR_DATA:
    case SPECEX_ERROR_PSF:
    case SPECEX_ERROR_NUMERIC:
    case SPECEX_ERROR_FORMAT:
    case SPECEX_ERROR_LIMIT:
    case SPECEX_ERROR_CHECKSUM:
      return exit_bad_data;
    case SPECEX_ERROR_ARGUMENT:
    case SPECEX_ERROR_VERSION:
    case SPECEX_ERROR_STATE:
    case SPECEX_ERROR_UNSUPPORTED:
    case SPECEX_ERROR_RANGE:
      return exit_configuration;
    case SPECEX_ERROR_MEMORY:
    case SPECEX_ERROR_NO_DEVICE:
    case SPECEX_ERROR_DEVICE:
    case SPECEX_ERROR_IO:
      return exit_retryable;
    case SPECEX_CANCELLED:
      return stop_exit_code();
    default:
      return exit_bug;
  }
}

void check(specex_status status, const specex_context *context) {
  if (status == SPECEX_OK || status == SPECEX_PARTIAL) return;
  if (status == SPECEX_CANCELLED) throw_if_stopped();
  std::string message = specex_last_error(context);
  if (message.empty()) message = specex_status_text(status);
  throw Failure(exit_code_of(status), message);
}

Failure failure_being_handled() {
  try {
    throw;
  } catch (const Failure &failure) {
    return failure;
  } catch (const std::bad_alloc &) {
    return {exit_retryable, "not enough memory"};
  } catch (const std::exception &error) {
    return {exit_bug, std::string("a bug in specex: ") + error.what()};
  }
}

specex_options default_options() {
  specex_options options;
  check(specex_options_init(&options, sizeof options), nullptr);
  return options;
}

namespace {

void pass_to_log(int32_t level, const char *message, void *) {
  log_message(level, message, {"libspecex", 0, "libspecex"});
}

int32_t show_progress(int64_t done, int64_t total, void *) {
  draw_progress(done, total);
  return stop_signal() != 0;
}

int32_t only_stop(int64_t, int64_t, void *) { return stop_signal() != 0; }

// What to tell of an input that could not be read: a name that leads nowhere is the
// command's fault, something that is not a file is bad data, the rest may pass.
int input_exit_code(specex_status status, const std::string &path) {
  if (status != SPECEX_ERROR_IO) return exit_code_of(status);
  struct stat information;
  if (::stat(path.c_str(), &information) != 0) return exit_configuration;
  if (!S_ISREG(information.st_mode)) return exit_bad_data;
  return ::access(path.c_str(), R_OK) == 0 ? exit_retryable : exit_configuration;
}

template <class Read>
specex_fits_file *read_input(const Context &context, const std::string &path, Read read,
                             CodePlace place = CodePlace::here()) {
  throw_if_stopped();
  const auto start = std::chrono::steady_clock::now();
  specex_fits_file *file = nullptr;
  const specex_status status = read(&file);
  if (status != SPECEX_OK) {
    std::string message = specex_last_error(context.get());
    if (message.empty()) message = specex_status_text(status);
    if (message.find(path) == std::string::npos) message = "'" + path + "': " + message;
    throw Failure(input_exit_code(status, path), message);
  }
  log_io_time("read", path, start, place);
  return file;
}

}  // namespace

Context::Context(const specex_options &options, ProgressBar bar) {
  check(specex_create(&options, &context_), nullptr);
  specex_set_log(context_, pass_to_log, nullptr);
  specex_set_progress(context_, bar == ProgressBar::shown ? show_progress : only_stop,
                      nullptr);
}

specex_psf_info Context::psf_info() const {
  specex_psf_info info{};
  info.struct_size = sizeof info;
  check(specex_get_psf_info(context_, &info), context_);
  return info;
}

std::string Context::description() const {
  char text[256];
  check(specex_describe(context_, text, sizeof text), context_);
  return text;
}

std::string Context::described(const std::string &thing) const {
  const std::string all = ", " + description() + ",";
  const size_t found = all.find(", " + thing + " ");
  if (found == std::string::npos) return "";
  const size_t start = found + thing.size() + 3;
  return all.substr(start, all.find(',', start) - start);
}

std::vector<specex_patch> Context::plan(const specex_grid &grid, int32_t first_fiber,
                                        int32_t nspec) const {
  std::vector<specex_patch> patches;
  int64_t count = 0;
  const auto ask = [&] {
    check(specex_plan(context_, &grid, first_fiber, nspec, patches.data(), count, &count),
          context_);
  };
  ask();
  specex_patch unset{};
  unset.struct_size = sizeof unset;
  patches.assign(static_cast<size_t>(count), unset);
  ask();
  return patches;
}

FitsFile FitsFile::image(const Context &context, const std::string &path,
                         int64_t badmask) {
  return FitsFile(read_input(context, path, [&](specex_fits_file **file) {
    return specex_fits_read_image(context.get(), path.c_str(), badmask, file);
  }));
}

FitsFile FitsFile::psf(const Context &context, const std::string &path) {
  return FitsFile(read_input(context, path, [&](specex_fits_file **file) {
    return specex_fits_read_psf(context.get(), path.c_str(), file);
  }));
}

FitsFile FitsFile::frame(const Context &context, const std::string &path) {
  return FitsFile(read_input(context, path, [&](specex_fits_file **file) {
    return specex_fits_read_frame(context.get(), path.c_str(), file);
  }));
}

FitsFile FitsFile::fibermap(const Context &context, const std::string &path) {
  return FitsFile(read_input(context, path, [&](specex_fits_file **file) {
    return specex_fits_read_fibermap(context.get(), path.c_str(), file);
  }));
}

specex_image FitsFile::image() const {
  specex_image view{};
  view.struct_size = sizeof view;
  check(specex_fits_get_image(file_, &view), nullptr);
  return view;
}

specex_psf FitsFile::psf() const {
  specex_psf view{};
  view.struct_size = sizeof view;
  check(specex_fits_get_psf(file_, &view), nullptr);
  return view;
}

specex_frame FitsFile::frame() const {
  specex_frame view{};
  view.struct_size = sizeof view;
  check(specex_fits_get_frame(file_, &view), nullptr);
  return view;
}

std::string FitsFile::key(const char *name) const {
  char value[81];
  return specex_fits_get_key(file_, name, value, sizeof value) == SPECEX_OK ? value : "";
}

}  // namespace specex_cli
