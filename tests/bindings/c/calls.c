// SPDX-License-Identifier: BSD-3-Clause
#include "calls.h"

#include <stdio.h>
#include <string.h>

enum { MAX_FUNCTIONS = 100 };

static struct {
  const char *name;
  int successes;
  int failures;
} called[MAX_FUNCTIONS];
static int ncalled = 0;
static int unexpected = 0;

static int index_of(const char *function) {
  for (int i = 0; i < ncalled; ++i)
    if (strcmp(called[i].name, function) == 0) return i;
  called[ncalled].name = function;
  return ncalled++;
}

void call_answers(const char *function, int right) {
  ++called[index_of(function)].successes;
  if (right) return;
  ++unexpected;
  printf("%s does not answer as it should\n", function);
}

void call_refuses(const char *function, int right) {
  ++called[index_of(function)].failures;
  if (right) return;
  ++unexpected;
  printf("%s does not refuse what it should\n", function);
}

void call_succeeds(const char *function, specex_status status) {
  if (status != SPECEX_OK) printf("%s: %s\n", function, specex_status_name(status));
  call_answers(function, status == SPECEX_OK);
}

void call_fails(const char *function, specex_status status, specex_status expected,
                const specex_context *context, const char *part) {
  const char *message = specex_last_error(context);
  const int right = status == expected && strstr(message, part) != NULL;
  if (!right) printf("%s: %s: %s\n", function, specex_status_name(status), message);
  call_refuses(function, right);
}

static int cannot_fail(const char *function) {
  return strcmp(function, "specex_version") == 0 ||
         strcmp(function, "specex_fits_free") == 0;
}

int finish_calls(const char *manifest) {
  char line[200], name[200];
  int symbols = 0, missing = 0;
  FILE *file = fopen(manifest, "r");
  if (file == NULL) {
    printf("no manifest in %s\n", manifest);
    return 1;
  }
  while (fgets(line, sizeof line, file) != NULL) {
    int i;
    if (sscanf(line, "symbol %199s", name) != 1) continue;
    for (i = 0; i < ncalled; ++i)
      if (strcmp(called[i].name, name) == 0) break;
    ++symbols;
    if (i < ncalled && called[i].successes > 0 &&
        (called[i].failures > 0 || cannot_fail(name)))
      continue;
    ++missing;
    printf("%s was not called with success and with failure\n", name);
  }
  fclose(file);
  printf("%d functions, %d not called in both ways, %d unexpected results\n", symbols,
         missing, unexpected);
  return symbols == 0 || missing > 0 || unexpected > 0;
}
