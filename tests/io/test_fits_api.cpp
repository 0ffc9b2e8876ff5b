// SPDX-License-Identifier: BSD-3-Clause
//
// The file functions through <specex/fits.h>, as a program in C would call them.
#include <specex/fits.h>

#include <string>
#include <vector>

#include "support/cmocka.hpp"
#include "support/scratch_directory.hpp"

using specex::test::ScratchDirectory;

namespace {

struct Session {
  specex_context *context = nullptr;
  ScratchDirectory scratch;

  Session() { assert_status(specex_create(nullptr, &context), SPECEX_OK); }
  ~Session() { specex_destroy(context); }
  Session(const Session &) = delete;
  Session &operator=(const Session &) = delete;

  std::string path(const char *name) const { return scratch.file(name); }
  std::string error() const { return specex_last_error(context); }
  bool error_has(const char *part) const {
    return error().find(part) != std::string::npos;
  }
};

const std::vector<float> pixels = {1, 2, 3, 4, 5, 6};
const std::vector<float> ivar = {1, 1, 1, 1, 1, 1};
const std::vector<int32_t> mask = {0, 1, 0, 0, 0, 512};

std::string write_image(const Session &session) {
  specex_image image{};
  image.struct_size = sizeof image;
  image.type = SPECEX_FLOAT32;
  image.nx = image.pixels_stride = image.ivar_stride = 3;
  image.ny = 2;
  image.pixels = pixels.data();
  image.ivar = ivar.data();
  const specex_fits_card card = {"CAMERA", "r0", "camera", SPECEX_CARD_TEXT, 0};
  specex_fits_output output{};
  output.struct_size = sizeof output;
  output.cards = &card;
  output.ncard = 1;
  const std::string path = session.path("image.fits");
  assert_status(specex_fits_write_image(session.context, path.c_str(), &image,
                                        mask.data(), &output),
                SPECEX_OK);
  return path;
}

std::string write_psf(const Session &session) {
  const std::vector<double> xtrace = {10, 1, 20, 1};
  const std::vector<double> params = {1, 0, 1, 0, 1, 0, 1, 0};
  const char *const names[] = {"GHSIGX", "GHSIGY"};
  specex_psf psf{};
  psf.struct_size = sizeof psf;
  psf.kind = SPECEX_PSF_GAUSS_HERMITE;
  psf.nspec = 2;
  psf.hsizex = psf.hsizey = 3;
  psf.xtrace_wavemin = psf.ytrace_wavemin = psf.wavemin = 6000;
  psf.xtrace_wavemax = psf.ytrace_wavemax = psf.wavemax = 6100;
  psf.xtrace_ncoef = psf.ytrace_ncoef = psf.ncoef = psf.nparam = 2;
  psf.xtrace = psf.ytrace = xtrace.data();
  psf.param_names = names;
  psf.params = params.data();
  const std::string path = session.path("psf.fits");
  assert_status(specex_fits_write_psf(session.context, path.c_str(), &psf, nullptr),
                SPECEX_OK);
  return path;
}

std::string write_frame(const Session &session) {
  std::vector<double> wavelength = {6000, 6001};
  std::vector<double> flux = {1, 2, 3, 4};
  specex_frame frame{};
  frame.struct_size = sizeof frame;
  frame.nspec = 2;
  frame.nwave = 2;
  frame.wavelength = wavelength.data();
  frame.flux = flux.data();
  const std::string path = session.path("frame.fits");
  assert_status(specex_fits_write_frame(session.context, path.c_str(), &frame, nullptr),
                SPECEX_OK);
  return path;
}

void fits_api_image_round_trip(void **) {
  const Session session;
  specex_fits_file *file = nullptr;
  assert_status(specex_fits_read_image(session.context, write_image(session).c_str(),
                                       SPECEX_BADMASK_DEFAULT, &file),
                SPECEX_OK);
  specex_image view{};
  view.struct_size = sizeof view;
  assert_status(specex_fits_get_image(file, &view), SPECEX_OK);
  assert_int_equal(view.struct_size, sizeof view);
  assert_int_equal(view.type, SPECEX_FLOAT32);
  assert_int_equal(view.nx, 3);
  assert_memory_equal(view.pixels, pixels.data(), 6 * sizeof(float));
  const float expected[] = {1, 0, 1, 1, 1, 0};
  assert_memory_equal(view.ivar, expected, sizeof expected);
  specex_fits_free(file);
}

void fits_api_psf_round_trip(void **) {
  const Session session;
  specex_fits_file *file = nullptr;
  assert_status(specex_fits_read_psf(session.context, write_psf(session).c_str(), &file),
                SPECEX_OK);
  specex_psf view{};
  view.struct_size = sizeof view;
  assert_status(specex_fits_get_psf(file, &view), SPECEX_OK);
  assert_int_equal(view.nspec, 2);
  assert_string_equal(view.param_names[1], "GHSIGY");
  assert_near(view.wavemax, 6100, 0);
  specex_fits_free(file);
}

void fits_api_frame_round_trip(void **) {
  const Session session;
  specex_fits_file *file = nullptr;
  assert_status(
      specex_fits_read_frame(session.context, write_frame(session).c_str(), &file),
      SPECEX_OK);
  specex_frame view{};
  view.struct_size = sizeof view;
  assert_status(specex_fits_get_frame(file, &view), SPECEX_OK);
  assert_int_equal(view.nspec, 2);
  assert_near(view.flux[3], 4, 0);
  assert_near(view.wavelength[1], 6001, 0);
  assert_null(view.ivar);
  specex_fits_free(file);
}

void fits_api_read_errors_leave_null(void **) {
  const Session session;
  const std::string absent = session.path("absent.fits");
  const auto reads_null = [&session](auto read, const char *path) {
    auto *file = reinterpret_cast<specex_fits_file *>(8);
    const specex_status status = read(session.context, path, &file);
    assert_null(file);
    return status;
  };
  const auto read_image = [](specex_context *c, const char *p, specex_fits_file **f) {
    return specex_fits_read_image(c, p, 767, f);
  };
  for (const auto &[path, status] :
       {std::pair<const char *, specex_status>{absent.c_str(), SPECEX_ERROR_IO},
        {session.scratch.path().c_str(), SPECEX_ERROR_IO},
        {"", SPECEX_ERROR_ARGUMENT},
        {nullptr, SPECEX_ERROR_ARGUMENT}}) {
    assert_status(reads_null(read_image, path), status);
    assert_status(reads_null(specex_fits_read_psf, path), status);
    assert_status(reads_null(specex_fits_read_frame, path), status);
    assert_status(reads_null(specex_fits_read_fibermap, path), status);
    assert_true(!session.error().empty());
  }
  const std::string image = write_image(session);
  assert_status(reads_null(specex_fits_read_psf, image.c_str()), SPECEX_ERROR_FORMAT);
  assert_status(reads_null(specex_fits_read_frame, image.c_str()), SPECEX_ERROR_FORMAT);
  assert_true(session.error_has("FLUX"));
  assert_status(reads_null(specex_fits_read_fibermap, image.c_str()),
                SPECEX_ERROR_FORMAT);
  assert_true(session.error_has("FIBERMAP"));
}

void fits_api_bad_arguments_are_refused(void **) {
  const Session session;
  const std::string image = write_image(session);
  specex_fits_file *file = nullptr;
  for (const int64_t badmask : {int64_t{-1}, int64_t{1} << 32})
    assert_status(specex_fits_read_image(session.context, image.c_str(), badmask, &file),
                  SPECEX_ERROR_ARGUMENT);
  assert_status(specex_fits_read_image(session.context, image.c_str(), 767, nullptr),
                SPECEX_ERROR_ARGUMENT);
  assert_status(specex_fits_read_image(nullptr, image.c_str(), 767, &file),
                SPECEX_ERROR_ARGUMENT);
  assert_null(file);
  assert_status(specex_fits_write_frame(session.context, image.c_str(), nullptr, nullptr),
                SPECEX_ERROR_ARGUMENT);
  specex_frame unsized{};
  assert_status(
      specex_fits_write_frame(session.context, image.c_str(), &unsized, nullptr),
      SPECEX_ERROR_VERSION);
  specex_fits_free(nullptr);
}

void fits_api_view_of_another_kind_is_refused(void **) {
  const Session session;
  specex_fits_file *file = nullptr;
  assert_status(specex_fits_read_psf(session.context, write_psf(session).c_str(), &file),
                SPECEX_OK);
  specex_image image{};
  image.struct_size = sizeof image;
  assert_status(specex_fits_get_image(file, &image), SPECEX_ERROR_ARGUMENT);
  specex_frame frame{};
  frame.struct_size = sizeof frame;
  assert_status(specex_fits_get_frame(file, &frame), SPECEX_ERROR_ARGUMENT);
  specex_psf psf{};
  assert_status(specex_fits_get_psf(file, &psf), SPECEX_ERROR_VERSION);
  assert_status(specex_fits_get_psf(file, nullptr), SPECEX_ERROR_ARGUMENT);
  psf.struct_size = sizeof psf;
  assert_status(specex_fits_get_psf(nullptr, &psf), SPECEX_ERROR_ARGUMENT);
  assert_true(std::string(specex_last_error(nullptr)).find("NULL") != std::string::npos);
  specex_fits_free(file);
}

// A program built against a later release passes a larger struct.
void fits_api_larger_struct_is_filled(void **) {
  const Session session;
  specex_fits_file *file = nullptr;
  assert_status(
      specex_fits_read_image(session.context, write_image(session).c_str(), 0, &file),
      SPECEX_OK);
  struct {
    specex_image image;
    int64_t future[4];
  } larger{};
  larger.image.struct_size = sizeof larger;
  assert_status(specex_fits_get_image(file, &larger.image), SPECEX_OK);
  assert_int_equal(larger.image.struct_size, sizeof larger);
  assert_int_equal(larger.image.ny, 2);
  larger.future[3] = 1;
  assert_status(specex_fits_get_image(file, &larger.image), SPECEX_ERROR_VERSION);
  specex_fits_free(file);
}

void fits_api_keys_are_given_as_text(void **) {
  const Session session;
  specex_fits_file *file = nullptr;
  assert_status(
      specex_fits_read_image(session.context, write_image(session).c_str(), 0, &file),
      SPECEX_OK);
  char text[16] = "unchanged";
  assert_status(specex_fits_get_key(file, "CAMERA", text, sizeof text), SPECEX_OK);
  assert_string_equal(text, "r0");
  assert_status(specex_fits_get_key(file, "BUNIT", text, 5), SPECEX_OK);
  assert_string_equal(text, "elec");
  assert_status(specex_fits_get_key(file, "ABSENT", text, sizeof text),
                SPECEX_ERROR_ARGUMENT);
  assert_string_equal(text, "");
  for (const int64_t capacity : {0, -1})
    assert_status(specex_fits_get_key(file, "CAMERA", text, capacity),
                  SPECEX_ERROR_ARGUMENT);
  assert_status(specex_fits_get_key(file, "CAMERA", nullptr, 9), SPECEX_ERROR_ARGUMENT);
  assert_status(specex_fits_get_key(file, nullptr, text, 9), SPECEX_ERROR_ARGUMENT);
  assert_status(specex_fits_get_key(nullptr, "CAMERA", text, 9), SPECEX_ERROR_ARGUMENT);
  specex_fits_free(file);
}

// The input outlives the context it was read with, and hands its keys on.
void fits_api_input_keys_are_passed_through(void **) {
  const Session session;
  specex_fits_file *input = nullptr;
  {
    const Session other;
    assert_status(
        specex_fits_read_image(other.context, write_image(other).c_str(), 0, &input),
        SPECEX_OK);
  }
  std::vector<double> flux = {1, 2};
  specex_frame frame{};
  frame.struct_size = sizeof frame;
  frame.nspec = 1;
  frame.nwave = 2;
  frame.flux = frame.wavelength = flux.data();
  specex_fits_output output{};
  output.struct_size = sizeof output;
  output.input = input;
  output.float64 = 1;
  const std::string path = session.path("frame.fits.gz");
  assert_status(specex_fits_write_frame(session.context, path.c_str(), &frame, &output),
                SPECEX_OK);
  specex_fits_file *back = nullptr;
  assert_status(specex_fits_read_frame(session.context, path.c_str(), &back), SPECEX_OK);
  char text[16];
  assert_status(specex_fits_get_key(back, "CAMERA", text, sizeof text), SPECEX_OK);
  assert_string_equal(text, "r0");
  specex_fits_free(back);
  specex_fits_free(input);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(fits_api_image_round_trip),
      cmocka_unit_test(fits_api_psf_round_trip),
      cmocka_unit_test(fits_api_frame_round_trip),
      cmocka_unit_test(fits_api_read_errors_leave_null),
      cmocka_unit_test(fits_api_bad_arguments_are_refused),
      cmocka_unit_test(fits_api_view_of_another_kind_is_refused),
      cmocka_unit_test(fits_api_larger_struct_is_filled),
      cmocka_unit_test(fits_api_keys_are_given_as_text),
      cmocka_unit_test(fits_api_input_keys_are_passed_through),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
