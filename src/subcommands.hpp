// SPDX-License-Identifier: BSD-3-Clause
//
// The subcommands of the program, one file each. Each function adds its options to the
// parser, with a callback that does the work once they are parsed. A callback returns
// when all went well; it throws Failure for an error, or ExitStatus to end with another
// code without a message (session.hpp).
#pragma once

#include <CLI/CLI.hpp>

namespace specex_cli {

void add_extract(CLI::App &app);
void add_exposure(CLI::App &app);
void add_simulate(CLI::App &app);
void add_make_psf(CLI::App &app);
void add_compare(CLI::App &app);
void add_info(CLI::App &app);
void add_demo(CLI::App &app);
void add_bench(CLI::App &app);

}  // namespace specex_cli
