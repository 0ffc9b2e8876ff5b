// SPDX-License-Identifier: BSD-3-Clause
#include "small_case.h"

#include <stddef.h>

enum { NCOEF = 3, NPARAM = 3 };

specex_psf small_psf(void) {
  static const char *const names[NPARAM] = {"GHSIGX", "GHSIGY", "GH-0-0"};
  static const double xtrace[NSPEC][NCOEF] = {{9, 0.6, 0}, {17, 0.6, 0}, {25, 0.6, 0}};
  static const double ytrace[NSPEC][NCOEF] = {
      {40, 52, 0.3}, {40.4, 52, 0.3}, {40.8, 52, 0.3}};
  static const double params[NPARAM][NSPEC][NCOEF] = {
      {{1.15}, {1.15}, {1.15}}, {{1.05}, {1.05}, {1.05}}, {{1}, {1}, {1}}};
  specex_psf psf = {.struct_size = sizeof psf, .kind = SPECEX_PSF_GAUSS_HERMITE};
  psf.nspec = NSPEC;
  psf.hsizex = psf.hsizey = NDIAG / 2;
  psf.wavemin = psf.xtrace_wavemin = psf.ytrace_wavemin = 5975;
  psf.wavemax = psf.xtrace_wavemax = psf.ytrace_wavemax = 6045;
  psf.xtrace_ncoef = psf.ytrace_ncoef = psf.ncoef = NCOEF;
  psf.nparam = NPARAM;
  psf.xtrace = xtrace[0];
  psf.ytrace = ytrace[0];
  psf.param_names = names;
  psf.params = params[0][0];
  return psf;
}

specex_grid small_grid(void) {
  specex_grid grid = {.struct_size = sizeof grid};
  grid.wavemin = 6000;
  grid.wavestep = 1;
  grid.nwave = NWAVE;
  return grid;
}

specex_image small_image(specex_context *context) {
  static double spectra[NBIN], pixels[NY * NX], ivar[NY * NX];
  const specex_grid grid = small_grid();
  specex_image image = {.struct_size = sizeof image, .type = SPECEX_FLOAT64};
  for (int i = 0; i < NBIN; ++i) spectra[i] = 100 + 50 * (i % 7);
  for (int i = 0; i < NY * NX; ++i) ivar[i] = 0.01;
  specex_project(context, &grid, 0, NSPEC, spectra, NX, NY, pixels);
  image.nx = image.pixels_stride = image.ivar_stride = NX;
  image.ny = NY;
  image.pixels = pixels;
  image.ivar = ivar;
  return image;
}

specex_context *small_context(void) {
  specex_context *context = NULL;
  specex_options options;
  const specex_psf psf = small_psf();
  specex_options_init(&options, sizeof options);
  options.nwavestep = NWAVE / 2;
  options.num_threads = 1;
  if (specex_create(&options, &context) != SPECEX_OK) return NULL;
  specex_set_psf(context, &psf);
  return context;
}

specex_frame small_frame(void) {
  static double wavelength[NWAVE], flux[NBIN], ivar[NBIN], resolution[NBIN * NDIAG];
  static int32_t mask[NBIN];
  specex_frame frame = {.struct_size = sizeof frame, .nspec = NSPEC, .nwave = NWAVE};
  frame.ndiag = NDIAG;
  frame.wavelength = wavelength;
  frame.flux = flux;
  frame.ivar = ivar;
  frame.resolution = resolution;
  frame.mask = mask;
  return frame;
}
