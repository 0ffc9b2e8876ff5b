// SPDX-License-Identifier: BSD-3-Clause
//
// <specex/fits.h> of a build without CFITSIO: the same symbols, which all say so.
#include <specex/fits.h>

#include "api/guard.hpp"

namespace specex {
namespace {

specex_status unsupported() {
  fail(SPECEX_ERROR_UNSUPPORTED,
       "this build of libspecex reads and writes no files (SPECEX_ENABLE_FITS is off)");
}

specex_status unsupported_with(specex_context *context) {
  return with_context(context, [](specex_context &) { return unsupported(); });
}

specex_status unsupported_read(specex_context *context, specex_fits_file **file) {
  if (file != nullptr) *file = nullptr;
  return unsupported_with(context);
}

}  // namespace
}  // namespace specex

using namespace specex;

specex_status specex_fits_read_image(specex_context *context, const char *, int64_t,
                                     specex_fits_file **file) {
  return unsupported_read(context, file);
}

specex_status specex_fits_read_psf(specex_context *context, const char *,
                                   specex_fits_file **file) {
  return unsupported_read(context, file);
}

specex_status specex_fits_read_frame(specex_context *context, const char *,
                                     specex_fits_file **file) {
  return unsupported_read(context, file);
}

specex_status specex_fits_read_fibermap(specex_context *context, const char *,
                                        specex_fits_file **file) {
  return unsupported_read(context, file);
}

void specex_fits_free(specex_fits_file *) {}

specex_status specex_fits_get_image(const specex_fits_file *, specex_image *) {
  return without_context(unsupported);
}

specex_status specex_fits_get_psf(const specex_fits_file *, specex_psf *) {
  return without_context(unsupported);
}

specex_status specex_fits_get_frame(const specex_fits_file *, specex_frame *) {
  return without_context(unsupported);
}

specex_status specex_fits_get_key(const specex_fits_file *, const char *, char *buffer,
                                  int64_t capacity) {
  if (buffer != nullptr && capacity > 0) buffer[0] = '\0';
  return without_context(unsupported);
}

specex_status specex_fits_write_frame(specex_context *context, const char *,
                                      const specex_frame *, const specex_fits_output *) {
  return unsupported_with(context);
}

specex_status specex_fits_write_image(specex_context *context, const char *,
                                      const specex_image *, const int32_t *,
                                      const specex_fits_output *) {
  return unsupported_with(context);
}

specex_status specex_fits_write_psf(specex_context *context, const char *,
                                    const specex_psf *, const specex_fits_output *) {
  return unsupported_with(context);
}
