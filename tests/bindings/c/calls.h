// SPDX-License-Identifier: BSD-3-Clause
//
// Keeps account of the functions that were called: each has to succeed once and to fail
// once, as it should and with a sentence.
#ifndef SPECEX_TEST_CALLS_H
#define SPECEX_TEST_CALLS_H

#include <specex/specex.h>

// SUCCEEDS(function, argument...): the call returns SPECEX_OK.
#define SUCCEEDS(function, ...) call_succeeds(#function, function(__VA_ARGS__))
// FAILS(status, context, part, function, argument...): the call returns the status, and
// the last error of the context has the part.
#define FAILS(status, context, part, function, ...) \
  call_fails(#function, function(__VA_ARGS__), status, context, part)

void call_succeeds(const char *function, specex_status status);
void call_fails(const char *function, specex_status status, specex_status expected,
                const specex_context *context, const char *part);
// For functions without a status: whether they did as they should.
void call_answers(const char *function, int right);  // to a good argument
void call_refuses(const char *function, int right);  // to a bad one

// The exit status: 0 where every call was as expected and all symbols of the manifest
// were called in both ways, but for those that cannot fail.
int finish_calls(const char *manifest);

#endif
