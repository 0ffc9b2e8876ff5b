// SPDX-License-Identifier: BSD-3-Clause
//
// Runs a subcommand of the program inside the test: options are parsed as the program
// does, errors arrive as exceptions.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "session.hpp"
#include "subcommands.hpp"

inline void run_subcommand(std::vector<std::string> arguments) {
  CLI::App app;
  app.require_subcommand(1);
  specex_cli::add_extract(app);
  specex_cli::add_exposure(app);
  specex_cli::add_simulate(app);
  specex_cli::add_make_psf(app);
  specex_cli::add_compare(app);
  specex_cli::add_info(app);
  specex_cli::add_demo(app);
  std::reverse(arguments.begin(), arguments.end());  // as CLI::App::parse wants them
  app.parse(arguments);
}

// What the program would exit with.
inline int exit_code_of_subcommand(const std::vector<std::string> &arguments) {
  try {
    run_subcommand(arguments);
    return specex_cli::exit_good;
  } catch (const CLI::ParseError &) {
    return specex_cli::exit_configuration;
  } catch (const specex_cli::ExitStatus &status) {
    return status.code;
  } catch (const specex_cli::Failure &failure) {
    return failure.exit_code();
  }
}
