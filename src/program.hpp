// SPDX-License-Identifier: BSD-3-Clause
//
// What the programs have in common: options are parsed, their callbacks do the work, and
// errors become one sentence on the standard error and an exit code.
#pragma once

#include <CLI/CLI.hpp>

namespace specex_cli {

// To be returned by main.
int run_program(CLI::App &app, int argc, char **argv);

}  // namespace specex_cli
