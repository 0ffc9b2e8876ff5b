// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <cstring>
#include <numeric>
#include <string>
#include <vector>

#include "cards.hpp"
#include "session.hpp"
#include "support/cmocka.hpp"
#include "support/scratch_directory.hpp"
#include "support/subcommand.hpp"
#include "wavelengths.hpp"

using namespace specex_cli;

namespace {

void exit_code_of_each_status_is_what_to_do_next(void **) {
  const struct {
    int code;
    specex_status statuses[8];
  } table[] = {
      {exit_good, {SPECEX_OK}},
      {exit_degraded, {SPECEX_PARTIAL}},
      {exit_bad_data,
       {SPECEX_ERROR_DATA, SPECEX_ERROR_PSF, SPECEX_ERROR_NUMERIC, SPECEX_ERROR_FORMAT,
        SPECEX_ERROR_LIMIT, SPECEX_ERROR_CHECKSUM}},
      {exit_configuration,
       {SPECEX_ERROR_ARGUMENT, SPECEX_ERROR_VERSION, SPECEX_ERROR_STATE,
        SPECEX_ERROR_UNSUPPORTED, SPECEX_ERROR_RANGE}},
      {exit_retryable,
       {SPECEX_ERROR_MEMORY, SPECEX_ERROR_NO_DEVICE, SPECEX_ERROR_DEVICE,
        SPECEX_ERROR_IO}},
      {exit_bug,
       {SPECEX_ERROR_BUSY, SPECEX_ERROR_HANDLE, SPECEX_ERROR_FORKED,
        SPECEX_ERROR_INTERNAL}},
  };
  for (const auto &row : table) {
    for (const specex_status status : row.statuses) {
      if (status == SPECEX_OK && row.code != exit_good) break;
      assert_int_equal(exit_code_of(status), row.code);
    }
  }
}

void check_of_error_throws_the_librarys_sentence(void **) {
  specex_options options = default_options();
  options.bundlesize = -1;
  try {
    const Context context(options);
    fail_msg("a context with bundlesize -1 was made");
  } catch (const Failure &failure) {
    assert_int_equal(failure.exit_code(), exit_configuration);
    assert_non_null(std::strstr(failure.what(), "bundlesize"));
  }
}

void context_description_is_taken_apart(void **) {
  specex_options options = default_options();
  options.backend = SPECEX_BACKEND_CPU;
  options.num_threads = 2;
  const Context context(options);
  assert_string_equal(context.described("backend").c_str(), "cpu");
  assert_string_equal(context.described("threads").c_str(), "2");
  assert_string_equal(context.described("colour").c_str(), "");
}

specex_psf_info covering(double wavemin, double wavemax) {
  specex_psf_info info{};
  info.wavemin = wavemin;
  info.wavemax = wavemax;
  return info;
}

void camera_wavelengths_are_desis(void **) {
  const struct {
    const char *camera;
    int64_t nwave;
    double wavemin;
  } cameras[] = {{"b0", 2751, 3600}, {"R3", 2326, 5760}, {"z", 2881, 7520}};
  for (const auto &expected : cameras) {
    const specex_grid grid =
        camera_wavelengths(expected.camera, covering(1000, 20000)).grid();
    assert_int_equal(grid.nwave, expected.nwave);
    assert_near(grid.wavemin, expected.wavemin, 0);
    assert_near(grid.wavestep, 0.8, 1e-9);
  }
}

void camera_wavelengths_of_narrow_psf_keep_the_cameras_bins(void **) {
  const WavelengthRange range = camera_wavelengths("r0", covering(5761, 7618.5));
  assert_near(range.wavemin, 5761.6, 1e-9);
  assert_near(range.wavemax, 7618.4, 1e-9);
}

void camera_wavelengths_unknown_are_refused(void **) {
  for (const char *camera : {"", "x0"}) {
    try {
      camera_wavelengths(camera, covering(1000, 20000));
      fail_msg("camera '%s' was taken", camera);
    } catch (const Failure &failure) {
      assert_int_equal(failure.exit_code(), exit_configuration);
    }
  }
  try {
    camera_wavelengths("b0", covering(7000, 8000));
    fail_msg("a PSF that covers nothing was taken");
  } catch (const Failure &failure) {
    assert_int_equal(failure.exit_code(), exit_configuration);
  }
}

void cards_keep_their_texts(void **) {
  Cards cards;
  for (int i = 0; i < 100; ++i) {
    cards.add(("KEY" + std::to_string(i)).c_str(), i, "a number");
    cards.add("TEXT", std::string(40, 'x'), nullptr);
  }
  cards.add("WHOLE", 3.0, nullptr);
  cards.add("TENTH", 0.1, nullptr);
  cards.add("TINY", 1e-300, nullptr);
  cards.add("NO", false, nullptr);
  assert_int_equal(cards.size(), 204);
  assert_string_equal(cards.data()[0].name, "KEY0");
  assert_string_equal(cards.data()[198].value, "99");
  assert_int_equal(cards.data()[198].type, SPECEX_CARD_INTEGER);
  assert_string_equal(cards.data()[200].value, "3.0");
  assert_string_equal(cards.data()[201].value, "0.1");
  assert_string_equal(cards.data()[202].value, "1e-300");
  assert_string_equal(cards.data()[203].value, "F");
  assert_int_equal(cards.data()[203].type, SPECEX_CARD_LOGICAL);
}

// NaN cannot be put in order, and is no small difference.
void compare_nan_differs_without_bound(void **) {
  const specex::test::ScratchDirectory scratch;
  const Context context;
  std::vector<double> flux(64, 1.0);
  const std::vector<double> ivar(64, 1.0);
  std::vector<double> wavelength(64);
  std::iota(wavelength.begin(), wavelength.end(), 5000.0);
  const auto write = [&](const char *name) {
    specex_frame frame{};
    frame.struct_size = sizeof frame;
    frame.nspec = 1;
    frame.nwave = 64;
    frame.wavelength = wavelength.data();
    frame.flux = flux.data();
    frame.ivar = const_cast<double *>(ivar.data());
    check(specex_fits_write_frame(context.get(), scratch.file(name).c_str(), &frame,
                                  nullptr),
          context.get());
    return scratch.file(name);
  };
  const std::string good = write("good.fits");
  for (size_t i = 0; i < flux.size(); i += 2) flux[i] = NAN;
  const std::string spoilt = write("spoilt.fits");
  assert_int_equal(exit_code_of_subcommand({"compare", good, good, "--max-pull", "0"}),
                   exit_good);
  assert_int_equal(exit_code_of_subcommand({"compare", good, spoilt, "--max-pull", "9"}),
                   exit_different);
}

// Sums of fibres do not overflow.
void simulate_fibres_beyond_the_psf_are_refused(void **) {
  const specex::test::ScratchDirectory scratch;
  const std::string psf = scratch.file("psf.fits");
  run_subcommand({"make-psf", "--camera", "r", "--nspec", "2", "-o", psf});
  assert_int_equal(
      exit_code_of_subcommand({"simulate", "-p", psf, "-o", scratch.file("image.fits"),
                               "-s", "2147483640", "-n", "2000000000"}),
      exit_configuration);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(exit_code_of_each_status_is_what_to_do_next),
      cmocka_unit_test(check_of_error_throws_the_librarys_sentence),
      cmocka_unit_test(context_description_is_taken_apart),
      cmocka_unit_test(camera_wavelengths_are_desis),
      cmocka_unit_test(camera_wavelengths_of_narrow_psf_keep_the_cameras_bins),
      cmocka_unit_test(camera_wavelengths_unknown_are_refused),
      cmocka_unit_test(cards_keep_their_texts),
      cmocka_unit_test(compare_nan_differs_without_bound),
      cmocka_unit_test(simulate_fibres_beyond_the_psf_are_refused),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
