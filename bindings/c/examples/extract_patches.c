// SPDX-License-Identifier: BSD-3-Clause
//
// Extracts patch by patch, in one batch that tells how far it is and can be stopped, by
// Ctrl-C or after some patches:
//
//   extract_patches PSF PREPROC WAVEMIN WAVEMAX WAVESTEP [STOP_AFTER]
#include <signal.h>
#include <specex/fits.h>
#include <stdio.h>
#include <stdlib.h>

static specex_context *context;
static volatile sig_atomic_t interrupted = 0;

static void interrupt(int signal_number) {
  (void)signal_number;
  interrupted = 1;
}

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

// Both callbacks run in the thread that called the library.
static void print_log(int32_t level, const char *message, void *user) {
  if (level >= SPECEX_LOG_WARNING) fprintf(user, "%s\n", message);
}

static int32_t print_progress(int64_t done, int64_t total, void *user) {
  const long *stop_after = user;
  printf("%ld of %ld patches\n", (long)done, (long)total);
  return interrupted || done >= *stop_after;  // nonzero: stop
}

// Fluxes and inverse variances alone: what is NULL is left out.
static specex_result make_result(const specex_patch *patch) {
  specex_result result = {.struct_size = sizeof result};
  const size_t nbin = (size_t)patch->nfiber * (size_t)patch->nbin;
  result.flux = allocate(nbin, sizeof(double));
  result.ivar = allocate(nbin, sizeof(double));
  return result;
}

static void print_result(const specex_patch *patch, const specex_result *result) {
  printf("fibres %d to %d, bins %d to %d: %s, first flux %.3f\n", patch->first_fiber,
         patch->first_fiber + patch->nfiber - 1, patch->first_bin,
         patch->first_bin + patch->nkeep - 1, specex_status_name(result->status),
         result->flux[0]);
}

int main(int argc, char **argv) {
  specex_fits_file *psf_file, *image_file;
  specex_options options;
  specex_psf psf = {.struct_size = sizeof psf};
  specex_image image = {.struct_size = sizeof image};
  specex_grid grid = {.struct_size = sizeof grid};
  specex_status status;
  int64_t n = 0;
  long stop_after;
  if (argc < 6 || argc > 7) {
    fprintf(stderr, "usage: %s PSF PREPROC WAVEMIN WAVEMAX WAVESTEP [STOP_AFTER]\n",
            argv[0]);
    return 1;
  }
  stop_after = argc == 7 ? atol(argv[6]) : 1000000;
  signal(SIGINT, interrupt);

  check(specex_options_init(&options, sizeof options));
  options.nwavestep = 50;  // bins a patch; by default a bundle is one
  check(specex_create(&options, &context));
  check(specex_set_log(context, print_log, stderr));
  check(specex_set_progress(context, print_progress, &stop_after));
  check(specex_fits_read_psf(context, argv[1], &psf_file));
  check(specex_fits_get_psf(psf_file, &psf));
  check(specex_set_psf(context, &psf));
  check(specex_fits_read_image(context, argv[2], SPECEX_BADMASK_DEFAULT, &image_file));
  check(specex_fits_get_image(image_file, &image));
  check(specex_grid_from_range(atof(argv[3]), atof(argv[4]), atof(argv[5]), &grid));

  check(specex_plan(context, &grid, 0, psf.nspec, NULL, 0, &n));  // how many?
  specex_patch *patches = allocate((size_t)n, sizeof *patches);
  specex_result *results = allocate((size_t)n, sizeof *results);
  check(specex_plan(context, &grid, 0, psf.nspec, patches, n, &n));
  for (int64_t i = 0; i < n; ++i) results[i] = make_result(&patches[i]);

  status = specex_extract_patches(context, &image, patches, n, results);
  if (status == SPECEX_CANCELLED)  // a patch that was not reached says so, too
    printf("stopped: %s\n", specex_last_error(context));
  else
    check(status);
  for (int64_t i = 0; i < n; ++i) {
    print_result(&patches[i], &results[i]);
    free(results[i].flux);
    free(results[i].ivar);
  }

  free(results);
  free(patches);
  specex_fits_free(image_file);
  specex_fits_free(psf_file);
  check(specex_destroy(context));
  return status == SPECEX_CANCELLED ? 2 : 0;
}
