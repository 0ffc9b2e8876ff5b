// SPDX-License-Identifier: BSD-3-Clause
//
// The wheel's CFITSIO reads files alone: libspecex opens names literally, so that drivers
// of the network are never reached. Without libcurl the wheel does not carry the two
// dozen libraries that come with it, nor their security updates that it would miss.
#include <stddef.h>

int curl_global_init(long flags) { return (void)flags, 2; }  // CURLE_FAILED_INIT
void curl_global_cleanup(void) {}
void *curl_easy_init(void) { return NULL; }
void curl_easy_cleanup(void *handle) { (void)handle; }
int curl_easy_setopt(void *handle, int option, ...) {
  return (void)handle, (void)option, 2;
}
int curl_easy_perform(void *handle) { return (void)handle, 2; }
