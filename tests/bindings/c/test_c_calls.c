// SPDX-License-Identifier: BSD-3-Clause
//
// Every function of the API is called from C, with success and, where it can fail, with a
// failure whose sentence arrives.
#include <specex/fits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "calls.h"
#include "small_case.h"

enum { MAX_PATCHES = 4 };

static void call_texts(void) {
  char version[40];
  snprintf(version, sizeof version, "%d.%d.%d", SPECEX_VERSION_MAJOR,
           SPECEX_VERSION_MINOR, SPECEX_VERSION_PATCH);
  call_answers("specex_version", strcmp(specex_version(), version) == 0);
  call_answers("specex_status_name",
               strcmp(specex_status_name(SPECEX_PARTIAL), "SPECEX_PARTIAL") == 0);
  call_refuses("specex_status_name",
               strcmp(specex_status_name(5), "SPECEX_UNKNOWN") == 0);
  call_answers("specex_status_text", strlen(specex_status_text(SPECEX_PARTIAL)) > 5);
  call_refuses("specex_status_text", specex_status_text(5) != NULL);
  call_answers("specex_stage_name",
               strcmp(specex_stage_name(SPECEX_STAGE_SPOTS), "spots") == 0);
  call_refuses("specex_stage_name",
               strcmp(specex_stage_name(SPECEX_NSTAGE), "unknown") == 0);
}

static void log_nothing(int32_t level, const char *message, void *user) {
  (void)level, (void)message, (void)user;
}

static int32_t go_on(int64_t done, int64_t total, void *user) {
  (void)user;
  return done > total;
}

static void call_context(void) {
  specex_context *context = NULL;
  specex_options options;
  specex_psf psf = small_psf();
  specex_psf_info info = {.struct_size = sizeof info};
  const double wave = 6010;
  double x, y;
  char text[200];

  SUCCEEDS(specex_options_init, &options, sizeof options);
  FAILS(SPECEX_ERROR_ARGUMENT, NULL, "options", specex_options_init, NULL,
        sizeof options);
  SUCCEEDS(specex_create, &options, &context);
  call_answers("specex_last_error", strcmp(specex_last_error(context), "") == 0);
  SUCCEEDS(specex_describe, context, text, sizeof text);
  FAILS(SPECEX_ERROR_ARGUMENT, context, "capacity", specex_describe, context, text, 0);
  call_refuses("specex_last_error",
               strstr(specex_last_error(context), "capacity") != NULL);
  SUCCEEDS(specex_set_log, context, log_nothing, NULL);
  FAILS(SPECEX_ERROR_ARGUMENT, NULL, "context", specex_set_log, NULL, log_nothing, NULL);
  SUCCEEDS(specex_set_progress, context, go_on, NULL);
  FAILS(SPECEX_ERROR_ARGUMENT, NULL, "context", specex_set_progress, NULL, go_on, NULL);

  FAILS(SPECEX_ERROR_STATE, context, "PSF", specex_get_psf_info, context, &info);
  SUCCEEDS(specex_set_psf, context, &psf);
  SUCCEEDS(specex_get_psf_info, context, &info);
  call_answers("specex_get_psf_info", info.nspec == NSPEC && info.ndiag == NDIAG);
  psf.nparam = 1;  // GHSIGX alone
  FAILS(SPECEX_ERROR_PSF, context, "GHSIGY", specex_set_psf, context, &psf);
  SUCCEEDS(specex_trace, context, 1, &wave, 1, &x, &y);
  call_answers("specex_trace", x > 16 && x < 18 && y > 39 && y < 41);
  FAILS(SPECEX_ERROR_RANGE, context, "3", specex_trace, context, NSPEC, &wave, 1, &x, &y);

  SUCCEEDS(specex_destroy, context);
  FAILS(SPECEX_ERROR_HANDLE, NULL, "context", specex_destroy, context);
  options.num_threads = -1;
  FAILS(SPECEX_ERROR_ARGUMENT, NULL, "num_threads", specex_create, &options, &context);
}

static void call_extraction(void) {
  static double flux[MAX_PATCHES][NBIN], spectra[NBIN], pixels[NY * NX];
  double seconds[SPECEX_NSTAGE];
  specex_context *context = small_context();
  specex_image image = small_image(context);
  specex_grid grid = small_grid();
  specex_frame frame = small_frame();
  specex_patch patches[MAX_PATCHES];
  specex_result results[MAX_PATCHES];
  int64_t n = 0;

  SUCCEEDS(specex_grid_from_range, 6000, 6019, 1, &grid);
  call_answers("specex_grid_from_range", grid.nwave == NWAVE);
  FAILS(SPECEX_ERROR_ARGUMENT, NULL, "wave", specex_grid_from_range, 6000, 6019, 0,
        &grid);

  SUCCEEDS(specex_plan, context, &grid, 0, NSPEC, patches, MAX_PATCHES, &n);
  FAILS(SPECEX_ERROR_RANGE, context, "fib", specex_plan, context, &grid, 0, NSPEC + 1,
        patches, MAX_PATCHES, &n);
  for (int i = 0; i < MAX_PATCHES; ++i) {
    const specex_result empty = {.struct_size = sizeof empty};
    results[i] = empty;
    results[i].flux = flux[i];
  }
  SUCCEEDS(specex_extract_patches, context, &image, patches, n, results);
  FAILS(SPECEX_ERROR_ARGUMENT, context, "results", specex_extract_patches, context,
        &image, patches, n, NULL);
  frame.ivar = frame.resolution = NULL;
  frame.mask = NULL;
  SUCCEEDS(specex_assemble, context, patches, results, n, &frame);
  call_answers("specex_assemble", frame.flux[0] == flux[0][0]);
  FAILS(SPECEX_ERROR_ARGUMENT, context, "patches", specex_assemble, context, NULL,
        results, n, &frame);

  frame = small_frame();
  SUCCEEDS(specex_extract_frame, context, &image, &grid, 0, NSPEC, &frame);
  call_answers("specex_extract_frame", frame.npatch == n && frame.ivar[0] > 0);
  image.pixels = NULL;
  FAILS(SPECEX_ERROR_ARGUMENT, context, "pixels", specex_extract_frame, context, &image,
        &grid, 0, NSPEC, &frame);
  SUCCEEDS(specex_stage_seconds, context, seconds, SPECEX_NSTAGE);
  FAILS(SPECEX_ERROR_ARGUMENT, context, "capacity", specex_stage_seconds, context,
        seconds, -1);

  spectra[NWAVE + 10] = 100;
  SUCCEEDS(specex_project, context, &grid, 0, NSPEC, spectra, NX, NY, pixels);
  call_answers("specex_project", pixels[40 * NX + 17] > 5 && pixels[0] == 0);
  FAILS(SPECEX_ERROR_ARGUMENT, context, "0 x 80", specex_project, context, &grid, 0,
        NSPEC, spectra, 0, NY, pixels);
  specex_destroy(context);
}

static void write_records(FILE *file, const char *const *records, int count) {
  for (int i = 0; i < 36; ++i) fprintf(file, "%-80s", i < count ? records[i] : "");
}

// A table with one number for each fibre: an empty first HDU, then header and data.
static void write_fibermap(const char *path) {
  static const char *const first[] = {
      "SIMPLE  =                    T", "BITPIX  =                    8",
      "NAXIS   =                    0", "EXTEND  =                    T", "END"};
  static const char *const table[] = {
      "XTENSION= 'BINTABLE'",           "BITPIX  =                    8",
      "NAXIS   =                    2", "NAXIS1  =                    8",
      "NAXIS2  =                    3", "PCOUNT  =                    0",
      "GCOUNT  =                    1", "TFIELDS =                    1",
      "TTYPE1  = 'TARGETID'",           "TFORM1  = 'K       '",
      "EXTNAME = 'FIBERMAP'",           "END"};
  static const char data[2880];
  FILE *file = fopen(path, "wb");
  if (file == NULL) return;
  write_records(file, first, sizeof first / sizeof *first);
  write_records(file, table, sizeof table / sizeof *table);
  fwrite(data, 1, sizeof data, file);
  fclose(file);
}

static void call_writers(specex_context *context) {
  static int32_t mask[NY * NX];
  const specex_psf psf = small_psf();
  const specex_image image = small_image(context);
  const specex_frame frame = small_frame();
  const specex_fits_card card = {"EXPTIME", "900.5", NULL, SPECEX_CARD_REAL, 0};
  specex_fits_output output = {.struct_size = sizeof output, .cards = &card, .ncard = 1};
  SUCCEEDS(specex_fits_write_psf, context, "psf.fits", &psf, NULL);
  FAILS(SPECEX_ERROR_IO, context, "absent/psf.fits", specex_fits_write_psf, context,
        "absent/psf.fits", &psf, NULL);
  SUCCEEDS(specex_fits_write_image, context, "image.fits", &image, mask, &output);
  FAILS(SPECEX_ERROR_IO, context, "absent/image.fits", specex_fits_write_image, context,
        "absent/image.fits", &image, mask, &output);
  SUCCEEDS(specex_fits_write_frame, context, "frame.fits", &frame, &output);
  FAILS(SPECEX_ERROR_IO, context, "absent/frame.fits", specex_fits_write_frame, context,
        "absent/frame.fits", &frame, &output);
}

static void call_readers(specex_context *context) {
  specex_fits_file *psf_file, *image_file, *frame_file, *fibermap;
  specex_psf psf = {.struct_size = sizeof psf};
  specex_image image = {.struct_size = sizeof image};
  specex_frame frame = {.struct_size = sizeof frame};
  char value[80];

  SUCCEEDS(specex_fits_read_psf, context, "psf.fits", &psf_file);
  SUCCEEDS(specex_fits_read_image, context, "image.fits", SPECEX_BADMASK_DEFAULT,
           &image_file);
  SUCCEEDS(specex_fits_read_frame, context, "frame.fits", &frame_file);
  write_fibermap("fibermap.fits");
  SUCCEEDS(specex_fits_read_fibermap, context, "fibermap.fits", &fibermap);
  SUCCEEDS(specex_fits_get_psf, psf_file, &psf);
  call_answers("specex_fits_get_psf", psf.nspec == NSPEC && psf.xtrace[0] == 9);
  SUCCEEDS(specex_fits_get_image, image_file, &image);
  call_answers("specex_fits_get_image", image.nx == NX && image.ny == NY);
  SUCCEEDS(specex_fits_get_frame, frame_file, &frame);
  call_answers("specex_fits_get_frame", frame.nspec == NSPEC && frame.nwave == NWAVE);
  SUCCEEDS(specex_fits_get_key, image_file, "EXPTIME", value, sizeof value);
  call_answers("specex_fits_get_key", strcmp(value, "900.5") == 0);

  FAILS(SPECEX_ERROR_ARGUMENT, NULL, "PSF", specex_fits_get_psf, image_file, &psf);
  FAILS(SPECEX_ERROR_ARGUMENT, NULL, "image", specex_fits_get_image, psf_file, &image);
  FAILS(SPECEX_ERROR_ARGUMENT, NULL, "frame", specex_fits_get_frame, psf_file, &frame);
  FAILS(SPECEX_ERROR_ARGUMENT, NULL, "ABSENT", specex_fits_get_key, image_file, "ABSENT",
        value, sizeof value);

  specex_fits_free(psf_file);
  specex_fits_free(image_file);
  specex_fits_free(frame_file);
  specex_fits_free(fibermap);
  FAILS(SPECEX_ERROR_IO, context, "absent.fits", specex_fits_read_psf, context,
        "absent.fits", &psf_file);
  call_answers("specex_fits_free", psf_file == NULL);
  specex_fits_free(psf_file);
  FAILS(SPECEX_ERROR_IO, context, "absent.fits", specex_fits_read_image, context,
        "absent.fits", 0, &image_file);
  FAILS(SPECEX_ERROR_FORMAT, context, "FLUX", specex_fits_read_frame, context, "psf.fits",
        &frame_file);
  FAILS(SPECEX_ERROR_FORMAT, context, "FIBERMAP", specex_fits_read_fibermap, context,
        "psf.fits", &fibermap);
}

int main(int argc, char **argv) {
  specex_context *context;
  if (argc != 2) return 1;
  call_texts();
  call_context();
  call_extraction();
  context = small_context();
  call_writers(context);
  call_readers(context);
  specex_destroy(context);
  return finish_calls(argv[1]);
}
