// SPDX-License-Identifier: BSD-3-Clause
//
// specex make-psf: a DESI-like PSF file from nothing.
#include "make_psf.hpp"

#include <memory>

#include "cards.hpp"
#include "outputs.hpp"
#include "psf_model.hpp"
#include "subcommands.hpp"

namespace specex_cli {

void make_psf(const Context &context, const MakePsfOptions &options) {
  check_fits_output(options.output);
  const PsfModel model(options.camera, options.nspec, options.seed);

  Cards cards;
  cards.add("CAMERA", std::string{options.camera, '0'},
            "made up: no camera has this PSF");
  cards.add("SEED", static_cast<int64_t>(options.seed), "of specex make-psf");
  specex_fits_output output{};
  output.struct_size = sizeof output;
  output.cards = cards.data();
  output.ncard = cards.size();
  check(specex_fits_write_psf(context.get(), options.output.c_str(), &model.view(),
                              &output),
        context.get());
}

void add_make_psf(CLI::App &app) {
  CLI::App *command = app.add_subcommand("make-psf", "Make up a DESI-like PSF file");
  command->footer(
      "A Gauss-Hermite PSF from formulas, with traces, bundles, dispersion and spot\n"
      "shapes like those of a DESI camera; no real data are needed to begin.\n\n"
      "Example: specex make-psf --camera r --nspec 50 -o psf-r0.fits");
  auto options = std::make_shared<MakePsfOptions>();
  command->add_option("--camera", options->camera, "b, r or z")
      ->required()
      ->check(CLI::IsMember({"b", "r", "z"}));
  command->add_option("-o,--output", options->output, "PSF file to write")->required();
  command
      ->add_option("--nspec", options->nspec,
                   "Fibres; the CCD is as wide as their bundles of 25 need")
      ->capture_default_str()
      ->check(CLI::Range(1, 100000));
  command
      ->add_option("--seed", options->seed, "Scatters the fibres and the shapes of spots")
      ->capture_default_str();
  command->callback([options] { make_psf(Context(), *options); });
}

}  // namespace specex_cli
