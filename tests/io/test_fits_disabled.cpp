// SPDX-License-Identifier: BSD-3-Clause
//
// A build without CFITSIO has the same symbols, and they say that it has no files.
#include <specex/fits.h>

#include <string>

#include "support/cmocka.hpp"

namespace {

void fits_disabled_every_function_says_so(void **) {
  specex_context *context = nullptr;
  assert_status(specex_create(nullptr, &context), SPECEX_OK);
  auto *file = reinterpret_cast<specex_fits_file *>(8);
  assert_status(specex_fits_read_image(context, "x", 0, &file), SPECEX_ERROR_UNSUPPORTED);
  assert_null(file);
  const std::string message = specex_last_error(context);
  assert_true(message.find("SPECEX_ENABLE_FITS") != std::string::npos);
  assert_status(specex_fits_read_psf(context, "x", &file), SPECEX_ERROR_UNSUPPORTED);
  assert_status(specex_fits_read_frame(context, "x", &file), SPECEX_ERROR_UNSUPPORTED);
  assert_status(specex_fits_read_fibermap(context, "x", &file), SPECEX_ERROR_UNSUPPORTED);
  assert_status(specex_fits_get_image(nullptr, nullptr), SPECEX_ERROR_UNSUPPORTED);
  assert_status(specex_fits_get_psf(nullptr, nullptr), SPECEX_ERROR_UNSUPPORTED);
  assert_status(specex_fits_get_frame(nullptr, nullptr), SPECEX_ERROR_UNSUPPORTED);
  char text[4] = "abc";
  assert_status(specex_fits_get_key(nullptr, "A", text, 4), SPECEX_ERROR_UNSUPPORTED);
  assert_string_equal(text, "");
  assert_status(specex_fits_write_frame(context, "x", nullptr, nullptr),
                SPECEX_ERROR_UNSUPPORTED);
  assert_status(specex_fits_write_image(context, "x", nullptr, nullptr, nullptr),
                SPECEX_ERROR_UNSUPPORTED);
  assert_status(specex_fits_write_psf(context, "x", nullptr, nullptr),
                SPECEX_ERROR_UNSUPPORTED);
  specex_fits_free(nullptr);
  assert_status(specex_destroy(context), SPECEX_OK);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {cmocka_unit_test(fits_disabled_every_function_says_so)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
