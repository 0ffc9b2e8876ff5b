// SPDX-License-Identifier: BSD-3-Clause
//
// The program specex: its subcommands.
#include <specex/specex.h>

#include <string>

#include "program.hpp"
#include "subcommands.hpp"

int main(int argc, char **argv) {
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
  return specex_cli::run_program(app, argc, argv);
}
