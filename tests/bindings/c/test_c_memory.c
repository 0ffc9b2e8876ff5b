// SPDX-License-Identifier: BSD-3-Clause
//
// A thousand contexts, each of which extracts patches and a frame and hears of progress,
// leave no memory behind.
#include <stdio.h>

#include "small_case.h"

enum { LOOPS = 1000, WARM_UP = 100, MAX_PATCHES = 4, MAX_GROWTH = 2048 };

static long resident_kib(void) {
  char line[100];
  long kib = 0;
  FILE *file = fopen("/proc/self/status", "r");
  if (file == NULL) return 0;
  while (fgets(line, sizeof line, file) != NULL)
    if (sscanf(line, "VmRSS: %ld", &kib) == 1) break;
  fclose(file);
  return kib;
}

static int32_t count_call(int64_t done, int64_t total, void *user) {
  ++*(int *)user;
  return done > total;
}

// Whether all went well.
static int extract_once(int *calls) {
  static double flux[MAX_PATCHES][NBIN];
  specex_patch patches[MAX_PATCHES];
  specex_result results[MAX_PATCHES];
  const specex_grid grid = small_grid();
  specex_frame frame = small_frame();
  int64_t n = 0;
  specex_context *context = small_context();
  const specex_image image = small_image(context);
  const specex_result empty = {.struct_size = sizeof empty};
  for (int i = 0; i < MAX_PATCHES; ++i) {
    results[i] = empty;
    results[i].flux = flux[i];
  }
  return specex_set_progress(context, count_call, calls) == SPECEX_OK &&
         specex_plan(context, &grid, 0, NSPEC, patches, MAX_PATCHES, &n) == SPECEX_OK &&
         specex_extract_patches(context, &image, patches, n, results) == SPECEX_OK &&
         specex_extract_frame(context, &image, &grid, 0, NSPEC, &frame) == SPECEX_OK &&
         specex_extract_frame(context, &image, &grid, 0, NSPEC + 1, &frame) ==
             SPECEX_ERROR_ARGUMENT &&
         specex_destroy(context) == SPECEX_OK;
}

int main(void) {
  int calls = 0, good = 0;
  long before, growth;
  for (int i = 0; i < WARM_UP; ++i) good += extract_once(&calls);
  before = resident_kib();
  for (int i = 0; i < LOOPS; ++i) good += extract_once(&calls);
  growth = resident_kib() - before;
  printf("%d of %d loops are good, %d calls of progress, growth %ld KiB\n", good,
         LOOPS + WARM_UP, calls, growth);
  return before == 0 || good != LOOPS + WARM_UP || calls < LOOPS || growth > MAX_GROWTH;
}
