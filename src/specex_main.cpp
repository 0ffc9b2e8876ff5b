// SPDX-License-Identifier: BSD-3-Clause
//
// The program specex: chooses the subcommand and turns errors into one sentence on the
// standard error and an exit code.
#include <csignal>
#include <cstdio>
#include <iostream>
#include <new>
#include <string>

#include "progress.hpp"
#include "session.hpp"
#include "subcommands.hpp"

namespace specex_cli {
namespace {

// "specex extract", as far as the command line got.
std::string name_of(const CLI::App &app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? "specex" : "specex " + chosen.front()->get_name();
}

int complain(const CLI::App &app, int exit_code, const std::string &message) {
  erase_progress();
  std::fflush(stdout);
  std::fprintf(stderr, "%s: %s\n", name_of(app).c_str(), message.c_str());
  return exit_code;
}

int parse_and_run(CLI::App &app, int argc, char **argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success &success) {  // --help, --version
    app.exit(success);
  } catch (const CLI::ParseError &error) {
    return complain(app, exit_configuration,
                    std::string(error.what()) + "; see " + name_of(app) + " --help");
  } catch (const ExitStatus &status) {
    return status.code;
  } catch (const Failure &failure) {
    return complain(app, failure.exit_code(), failure.what());
  } catch (const std::bad_alloc &) {
    return complain(app, exit_retryable, "not enough memory");
  } catch (const std::exception &error) {
    return complain(app, exit_bug, std::string("a bug in specex: ") + error.what());
  }
  std::cout.flush();
  if (!std::cout || std::fflush(stdout) != 0 || std::ferror(stdout))
    return complain(app, exit_retryable, "cannot write to the standard output");
  return exit_good;
}

}  // namespace
}  // namespace specex_cli

int main(int argc, char **argv) {
  // A file that may not grow is an error to report, not a reason to be killed.
  std::signal(SIGXFSZ, SIG_IGN);

  CLI::App app{
      "Spectroperfectionism extraction of fibre spectra from CCD images\n"
      "(Bolton & Schlegel 2010, PASP 122, 248).",
      "specex"};
  app.set_version_flag("--version", std::string("specex ") + specex_version());
  app.require_subcommand(1);
  app.footer(
      "Begin with\n"
      "  specex demo                       everything at once, on made-up data\n"
      "or step by step\n"
      "  specex make-psf --camera r --nspec 50 -o psf-r0.fits\n"
      "  specex simulate -p psf-r0.fits -o preproc-r0.fits --truth truth-r0.fits\n"
      "  specex extract -i preproc-r0.fits -p psf-r0.fits -o frame-r0.fits\n"
      "  specex info frame-r0.fits\n"
      "Each subcommand explains itself: specex extract --help. See also specex(1).");
  specex_cli::add_extract(app);
  specex_cli::add_exposure(app);
  specex_cli::add_simulate(app);
  specex_cli::add_make_psf(app);
  specex_cli::add_compare(app);
  specex_cli::add_info(app);
  specex_cli::add_demo(app);
  specex_cli::add_bench(app);
  return specex_cli::parse_and_run(app, argc, argv);
}
