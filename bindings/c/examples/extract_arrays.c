// SPDX-License-Identifier: BSD-3-Clause
//
// Extracts spectra from arrays in memory. The PSF and the image, which your instrument
// and its calibration give, are made up here: three fibres with flat spectra.
#include <specex/specex.h>
#include <stdio.h>
#include <stdlib.h>

enum { NSPEC = 3, NCOEF = 2, NPARAM = 3, NX = 40, NY = 90, NWAVE = 30 };

static void check(specex_context *context, specex_status status) {
  if (status == SPECEX_OK || status == SPECEX_PARTIAL) return;
  fprintf(stderr, "%s: %s\n", specex_status_name(status), specex_last_error(context));
  exit(1);
}

// Traces that are straight lines and spots that are round; the context copies all of it.
static void set_psf(specex_context *context) {
  static const char *const names[NPARAM] = {"GHSIGX", "GHSIGY", "GH-0-0"};
  static const double spot[NPARAM] = {1.1, 1.1, 1.0};
  double xtrace[NSPEC][NCOEF], ytrace[NSPEC][NCOEF], params[NPARAM][NSPEC][NCOEF];
  specex_psf psf = {.struct_size = sizeof psf, .kind = SPECEX_PSF_GAUSS_HERMITE};
  for (int fiber = 0; fiber < NSPEC; ++fiber) {
    xtrace[fiber][0] = 10.0 + 9.0 * fiber;  // pixels: column 10, 19, 28 in mid-range
    xtrace[fiber][1] = 0.5;                 // and half a pixel more at wavemax
    ytrace[fiber][0] = 45.0;
    ytrace[fiber][1] = 40.0;
    for (int k = 0; k < NPARAM; ++k) {
      params[k][fiber][0] = spot[k];
      params[k][fiber][1] = 0.0;
    }
  }
  psf.nspec = NSPEC;
  psf.hsizex = psf.hsizey = 4;
  psf.wavemin = psf.xtrace_wavemin = psf.ytrace_wavemin = 5990.0;  // Angstrom
  psf.wavemax = psf.xtrace_wavemax = psf.ytrace_wavemax = 6040.0;
  psf.xtrace_ncoef = psf.ytrace_ncoef = psf.ncoef = NCOEF;
  psf.nparam = NPARAM;
  psf.xtrace = xtrace[0];
  psf.ytrace = ytrace[0];
  psf.param_names = names;
  psf.params = params[0][0];
  check(context, specex_set_psf(context, &psf));
}

int main(void) {
  static double pixels[NY][NX], weights[NY][NX];
  static double truth[NSPEC][NWAVE], flux[NSPEC][NWAVE], ivar[NSPEC][NWAVE];
  specex_context *context = NULL;
  specex_grid grid = {.struct_size = sizeof grid};
  specex_image image = {.struct_size = sizeof image, .type = SPECEX_FLOAT64};
  specex_frame frame = {.struct_size = sizeof frame, .nspec = NSPEC, .nwave = NWAVE};

  check(NULL, specex_create(NULL, &context));  // NULL: default options
  set_psf(context);
  check(context, specex_grid_from_range(6000.0, 6029.0, 1.0, &grid));  // NWAVE bins

  for (int fiber = 0; fiber < NSPEC; ++fiber)
    for (int bin = 0; bin < NWAVE; ++bin) truth[fiber][bin] = 100.0 * (fiber + 1);
  check(context, specex_project(context, &grid, 0, NSPEC, truth[0], NX, NY, pixels[0]));
  for (int y = 0; y < NY; ++y)
    for (int x = 0; x < NX; ++x) weights[y][x] = 1.0 / (9.0 + pixels[y][x]);

  image.nx = image.pixels_stride = image.ivar_stride = NX;
  image.ny = NY;
  image.pixels = pixels;  // borrowed during the call
  image.ivar = weights;
  frame.wavelength = NULL;  // outputs that are NULL are left out
  frame.flux = flux[0];
  frame.ivar = ivar[0];
  check(context, specex_extract_frame(context, &image, &grid, 0, NSPEC, &frame));

  for (int fiber = 0; fiber < NSPEC; ++fiber)
    printf("fibre %d: %.2f electrons/Angstrom, inverse variance %.4f\n", fiber,
           flux[fiber][NWAVE / 2], ivar[fiber][NWAVE / 2]);
  check(NULL, specex_destroy(context));
  return 0;
}
