// SPDX-License-Identifier: BSD-3-Clause
//
// What every subcommand needs of the library: handles that free themselves, statuses that
// become exceptions, and exit codes.
#pragma once

#include <specex/fits.h>
#include <specex/specex.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace specex_cli {

// The exit codes of the program: what a pipeline should do next. Signals have
// stop_exit_code.
enum ExitCode : int {
  exit_good = 0,
  exit_different = 1,       // compare: a bound is passed
  exit_degraded = 10,       // written, but some patches failed and are masked
  exit_bad_data = 20,       // the same input will fail again
  exit_configuration = 21,  // the command has to change
  exit_bug = 70,
  exit_retryable = 75  // memory, disk or device: may work later or elsewhere
};

// An error, with the sentence that the user reads.
class Failure : public std::runtime_error {
 public:
  Failure(int exit_code, const std::string &message)
      : std::runtime_error(message), exit_code_(exit_code) {}
  int exit_code() const { return exit_code_; }

 private:
  int exit_code_;
};

// What is to be said of the exception that is being handled.
Failure failure_being_handled();

// Ends the program with a code and no message.
struct ExitStatus {
  int code;
};

// The one table from statuses to exit codes.
int exit_code_of(specex_status status);

// Throws a Failure with the library's sentence unless the status is OK or PARTIAL.
// context: whose last error it is; NULL for calls without one.
void check(specex_status status, const specex_context *context);

// Options with the library's defaults.
specex_options default_options();

// Whether long calls of a context draw a bar: not where several run at the same time.
enum class ProgressBar { shown, hidden };

// A context whose log goes to the program's log, which shows the progress of long calls,
// and which SIGINT and SIGTERM stop once stop_on_signals() was called.
class Context {
 public:
  explicit Context(const specex_options &options = default_options(),
                   ProgressBar bar = ProgressBar::shown);
  ~Context() { specex_destroy(context_); }
  Context(Context &&other) noexcept : context_(std::exchange(other.context_, nullptr)) {}
  Context &operator=(Context &&) = delete;

  specex_context *get() const { return context_; }
  specex_psf_info psf_info() const;
  // "libspecex 0.1.0, backend cpu, vectors avx2, threads 2"
  std::string description() const;
  // What the description says of one thing, e.g. "backend"; "" if nothing.
  std::string described(const std::string &thing) const;
  std::vector<specex_patch> plan(const specex_grid &grid, int32_t first_fiber,
                                 int32_t nspec) const;

 private:
  specex_context *context_ = nullptr;
};

// What was read from a FITS file. Errors name the path.
class FitsFile {
 public:
  static FitsFile image(const Context &context, const std::string &path,
                        int64_t badmask = SPECEX_BADMASK_DEFAULT);
  static FitsFile psf(const Context &context, const std::string &path);
  static FitsFile frame(const Context &context, const std::string &path);
  static FitsFile fibermap(const Context &context, const std::string &path);

  ~FitsFile() { specex_fits_free(file_); }
  FitsFile(FitsFile &&other) noexcept : file_(std::exchange(other.file_, nullptr)) {}
  FitsFile &operator=(FitsFile &&) = delete;

  const specex_fits_file *get() const { return file_; }
  specex_image image() const;
  specex_psf psf() const;
  specex_frame frame() const;
  // What specex_fits_get_key gives, "" where there is none.
  std::string key(const char *name) const;

 private:
  explicit FitsFile(specex_fits_file *file) : file_(file) {}

  specex_fits_file *file_ = nullptr;
};

}  // namespace specex_cli
