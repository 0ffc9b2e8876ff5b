// SPDX-License-Identifier: BSD-3-Clause
#include "program.hpp"

#include <csignal>
#include <cstdio>
#include <iostream>
#include <string>

#include "progress.hpp"
#include "session.hpp"

namespace specex_cli {
namespace {

// "specex extract", as far as the command line got.
std::string name_of(const CLI::App &app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? app.get_name()
                        : app.get_name() + " " + chosen.front()->get_name();
}

int complain(const CLI::App &app, int exit_code, const std::string &message) {
  erase_progress();
  std::fflush(stdout);
  std::fprintf(stderr, "%s: %s\n", name_of(app).c_str(), message.c_str());
  return exit_code;
}

}  // namespace

int run_program(CLI::App &app, int argc, char **argv) {
  // A file that may not grow is an error to report, not a reason to be killed.
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success &success) {  // --help, --version
    app.exit(success);
  } catch (const CLI::ParseError &error) {
    return complain(app, exit_configuration,
                    std::string(error.what()) + "; see " + name_of(app) + " --help");
  } catch (const ExitStatus &status) {
    return status.code;
  } catch (...) {
    const Failure failure = failure_being_handled();
    return complain(app, failure.exit_code(), failure.what());
  }
  std::cout.flush();
  if (!std::cout || std::fflush(stdout) != 0 || std::ferror(stdout))
    return complain(app, exit_retryable, "cannot write to the standard output");
  return exit_good;
}

}  // namespace specex_cli
