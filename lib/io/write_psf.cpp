// SPDX-License-Identifier: BSD-3-Clause
#include "io/write_psf.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace specex::io {
namespace {

constexpr int64_t most_coefficients = 1 << 16;

const std::vector<std::string> own_keys = {"PSFTYPE",  "PSFVER",  "FIBERMIN",
                                           "FIBERMAX", "WAVEMIN", "WAVEMAX"};

void check(const specex_psf &psf) {
  if (psf.kind != SPECEX_PSF_GAUSS_HERMITE)
    fail(SPECEX_ERROR_UNSUPPORTED, "only GAUSS-HERMITE PSFs can be written, not kind %d",
         psf.kind);
  const bool sizes_valid =
      std::min({psf.nspec, psf.xtrace_ncoef, psf.ytrace_ncoef, psf.nparam, psf.ncoef}) >=
          1 &&
      std::max({psf.nspec, psf.xtrace_ncoef, psf.ytrace_ncoef, psf.nparam, psf.ncoef}) <=
          most_coefficients &&
      int64_t{psf.nspec} * psf.ncoef * psf.nparam <= limits::pixels;
  if (!sizes_valid) fail(SPECEX_ERROR_ARGUMENT, "a size of the PSF is not valid");
  if (psf.xtrace == nullptr || psf.ytrace == nullptr || psf.param_names == nullptr ||
      psf.params == nullptr ||
      std::any_of(psf.param_names, psf.param_names + psf.nparam,
                  [](const char *name) { return name == nullptr || *name == '\0'; }))
    fail(SPECEX_ERROR_ARGUMENT,
         "an array of the PSF, or the name of a parameter, is NULL");
}

void write_kind(FitsBuilder &builder) {
  builder.write_text("PSFTYPE", "GAUSS-HERMITE", nullptr);
  builder.write_text("PSFVER", "3", nullptr);  // a text in DESI's files, and to specter
}

void write_range(FitsBuilder &builder, const specex_psf &psf, double wavemin,
                 double wavemax) {
  builder.write_integer("FIBERMIN", 0, "first fiber");
  builder.write_integer("FIBERMAX", psf.nspec - 1, "last fiber");
  builder.write_real("WAVEMIN", wavemin, "[Angstrom] Legendre series are defined from");
  builder.write_real("WAVEMAX", wavemax, "[Angstrom] to");
}

void write_parameters(FitsBuilder &builder, const specex_psf &psf) {
  std::vector<std::string> names(psf.param_names, psf.param_names + psf.nparam);
  size_t width = 8;
  for (const std::string &name : names) width = std::max(width, name.size());
  const int64_t coefficients = int64_t{psf.nspec} * psf.ncoef;
  builder.begin_table("PSF", psf.nparam,
                      {{"PARAM", std::to_string(width) + "A", "parameter"},
                       {"COEFF", std::to_string(coefficients) + "D",
                        "Legendre coefficients of each fiber"}});
  std::string shape = "(";
  shape.append(std::to_string(psf.ncoef)).append(",");
  shape.append(std::to_string(psf.nspec)).append(")");
  builder.write_text("TDIM2", shape, nullptr);
  write_kind(builder);
  builder.write_integer("HSIZEX", psf.hsizex, "half size of a spot, pixels");
  builder.write_integer("HSIZEY", psf.hsizey, "half size of a spot, pixels");
  builder.write_integer("NPARAMS", psf.nparam, "number of parameters");
  builder.write_integer("LEGDEG", psf.ncoef - 1, "degree of the Legendre series");
  builder.write_integer("GHDEGX", psf.ghdegx, "Gauss-Hermite degree in x");
  builder.write_integer("GHDEGY", psf.ghdegy, "Gauss-Hermite degree in y");
  builder.write_integer("NPIX_X", psf.nx, "CCD size, pixels; 0: unknown");
  builder.write_integer("NPIX_Y", psf.ny, "CCD size, pixels; 0: unknown");
  if (psf.psferr > 0)
    for (const char *name : {"PSFERR", "PSFERROR"})  // as read_psf.cpp says
      builder.write_real(name, psf.psferr, "relative PSF error");
  write_range(builder, psf, psf.wavemin, psf.wavemax);
  builder.write_column(1, names);
  builder.write_column(2, psf.params, coefficients * psf.nparam);
}

}  // namespace

void write_psf(const char *name, const specex_psf &psf, const Output &output) {
  check(psf);
  check_cards(output.cards, output.ncard);
  for (const std::string &key : own_keys)
    if (has_card(output.cards, output.ncard, key))
      fail(SPECEX_ERROR_ARGUMENT, "a card sets %s, which the PSF itself says",
           key.c_str());
  FitsBuilder builder(output.threads);
  builder.begin_image("XTRACE", Pixels::float64, {psf.nspec, psf.xtrace_ncoef});
  write_keys(builder, output.keys(), output.cards, output.ncard, own_keys);
  write_kind(builder);
  write_range(builder, psf, psf.xtrace_wavemin, psf.xtrace_wavemax);
  builder.write_pixels(psf.xtrace, int64_t{psf.nspec} * psf.xtrace_ncoef);
  builder.begin_image("YTRACE", Pixels::float64, {psf.nspec, psf.ytrace_ncoef});
  write_range(builder, psf, psf.ytrace_wavemin, psf.ytrace_wavemax);
  builder.write_pixels(psf.ytrace, int64_t{psf.nspec} * psf.ytrace_ncoef);
  write_parameters(builder, psf);
  builder.save(name);
}

}  // namespace specex::io
