// SPDX-License-Identifier: BSD-3-Clause
//
// Extracts fibres of a preproc image into a frame, with files as DESI writes them:
//
//   extract_files PSF PREPROC FRAME WAVEMIN WAVEMAX WAVESTEP FIRST_FIBER NSPEC
#include <specex/fits.h>
#include <stdio.h>
#include <stdlib.h>

static specex_context *context;

static void check(specex_status status) {
  if (status == SPECEX_OK || status == SPECEX_PARTIAL) return;
  fprintf(stderr, "%s: %s\n", specex_status_name(status), specex_last_error(context));
  exit(1);
}

static void *allocate(size_t count, size_t size) {
  void *memory = calloc(count, size);
  if (memory == NULL) exit(1);
  return memory;
}

static void allocate_frame(specex_frame *frame) {
  const size_t nwave = (size_t)frame->nwave;
  const size_t nbin = nwave * (size_t)frame->nspec;
  frame->wavelength = allocate(nwave, sizeof(double));
  frame->flux = allocate(nbin, sizeof(double));
  frame->ivar = allocate(nbin, sizeof(double));
  frame->resolution = allocate(nbin * (size_t)frame->ndiag, sizeof(double));
  frame->chi2pix = allocate(nbin, sizeof(double));
  frame->pixmask_fraction = allocate(nbin, sizeof(double));
  frame->mask = allocate(nbin, sizeof(int32_t));
}

static void free_frame(specex_frame *frame) {
  free(frame->wavelength);
  free(frame->flux);
  free(frame->ivar);
  free(frame->resolution);
  free(frame->chi2pix);
  free(frame->pixmask_fraction);
  free(frame->mask);
}

int main(int argc, char **argv) {
  specex_fits_file *psf_file, *image_file;
  specex_psf psf = {.struct_size = sizeof psf};
  specex_psf_info info = {.struct_size = sizeof info};
  specex_image image = {.struct_size = sizeof image};
  specex_grid grid = {.struct_size = sizeof grid};
  specex_frame frame = {.struct_size = sizeof frame};
  specex_fits_output output = {.struct_size = sizeof output};
  if (argc != 9) {
    fprintf(stderr, "usage: %s PSF PREPROC FRAME WAVEMIN WAVEMAX WAVESTEP FIRST NSPEC\n",
            argv[0]);
    return 1;
  }
  frame.first_fiber = atoi(argv[7]);
  frame.nspec = atoi(argv[8]);

  check(specex_create(NULL, &context));
  check(specex_fits_read_psf(context, argv[1], &psf_file));
  check(specex_fits_get_psf(psf_file, &psf));
  check(specex_set_psf(context, &psf));
  specex_fits_free(psf_file);  // the context has its own copy
  check(specex_get_psf_info(context, &info));
  frame.ndiag = info.ndiag;

  check(specex_grid_from_range(atof(argv[4]), atof(argv[5]), atof(argv[6]), &grid));
  frame.nwave = grid.nwave;
  allocate_frame(&frame);

  check(specex_fits_read_image(context, argv[2], SPECEX_BADMASK_DEFAULT, &image_file));
  check(specex_fits_get_image(image_file, &image));  // borrowed from the file
  check(specex_extract_frame(context, &image, &grid, frame.first_fiber, frame.nspec,
                             &frame));
  output.input = image_file;  // its header keys and FIBERMAP are passed on
  check(specex_fits_write_frame(context, argv[3], &frame, &output));

  specex_fits_free(image_file);
  free_frame(&frame);
  check(specex_destroy(context));
  return 0;
}
