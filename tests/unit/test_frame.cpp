// SPDX-License-Identifier: BSD-3-Clause
#include "model/frame.hpp"

#include <numeric>

#include "support/cmocka.hpp"
#include "support/patch.hpp"
#include "support/synthetic_case.hpp"

namespace {

using specex_test::Frame;
using specex_test::Results;

using specex_test::patch_at;

// Every value says where it is: 1000 fibre + bin.
Results numbered(const specex_patch &patch) {
  Results results({patch});
  specex_result &result = results.results[0];
  for (int i = 0; i < patch.nfiber; ++i)
    for (int j = 0; j < patch.nbin; ++j) {
      const double value = 1000.0 * (patch.first_fiber + i) + patch.first_bin + j;
      const int at = i * patch.nbin + j;
      result.flux[at] = value;
      result.ivar[at] = -value;
      result.chi2pix[at] = 0.5 * value;
      result.pixmask_fraction[at] = 0.25 * value;
      result.mask[at] = static_cast<int32_t>(value);
      for (int k = 0; k < 3; ++k)
        result.resolution[(i * 3 + k) * patch.nbin + j] = value + 0.1 * k;
    }
  for (int p = 0; p < 16; ++p) result.model[p] = p;
  return results;
}

void frame_patch_is_trimmed_and_placed(void **) {
  const specex_patch patch = patch_at(4, 3, 10, 8, 5);
  const Results results = numbered(patch);
  Frame frame(5, 4, 13, 3, 3, 5);  // without fibre 4; bins 10, 11, 12 of 13
  specex::clear_frame(*frame.get());
  specex::place_patch(patch, results.results[0], frame.frame);
  for (int i = 0; i < 4; ++i)
    for (int w = 0; w < 13; ++w) {
      const bool inside = i < 2 && w >= 10;
      const auto at = static_cast<size_t>(i * 13 + w);
      const double value = inside ? 1000.0 * (5 + i) + w : 0.0;
      assert_near(frame.flux[at], value, 0.0);
      assert_near(frame.ivar[at], -value, 0.0);
      assert_near(frame.chi2pix[at], 0.5 * value, 0.0);
      assert_near(frame.pixmask_fraction[at], 0.25 * value, 0.0);
      assert_int_equal(frame.mask[at],
                       inside ? static_cast<int32_t>(value) : SPECEX_MASK_NODATA);
      for (int k = 0; k < 3; ++k)
        assert_near(frame.resolution[static_cast<size_t>((i * 3 + k) * 13 + w)],
                    inside ? value + 0.1 * k : 0.0, 0.0);
    }
  assert_int_equal(frame.frame.npatch, 1);
}

void frame_patch_keeps_only_the_bins_of_the_grid(void **) {
  const specex_patch patch = patch_at(0, 1, 4, 8, 2);
  const Results results = numbered(patch);
  Frame frame(0, 1, 20, 3, 3, 5);
  specex::clear_frame(*frame.get());
  specex::place_patch(patch, results.results[0], frame.frame);
  for (size_t w = 0; w < 20; ++w)
    assert_near(frame.flux[w], w == 4 || w == 5 ? static_cast<double>(w) : 0.0, 0.0);
}

void frame_models_add_up_where_they_are_on_the_image(void **) {
  const specex_patch patch = patch_at(0, 1, 0, 4, 4);
  const Results results = numbered(patch);
  Frame frame(0, 1, 4, 3, 3, 5);
  specex::clear_frame(*frame.get());
  specex::place_patch(patch, results.results[0], frame.frame);
  specex::place_patch(patch, results.results[0], frame.frame);
  for (int y = 0; y < 5; ++y)
    for (int x = 0; x < 3; ++x)
      assert_near(frame.model[static_cast<size_t>(y * 3 + x)],
                  y < 2 ? 0.0 : 2.0 * ((y - 2) * 4 + x + 1), 0.0);
}

void frame_counts_say_how_patches_went(void **) {
  const specex_patch patch = patch_at(0, 1, 0, 4, 4);
  Results results = numbered(patch);
  Frame frame(0, 1, 4, 3, 3, 5);
  specex::clear_frame(*frame.get());
  specex_result &result = results.results[0];
  for (const int32_t path : {SPECEX_PATH_DENSE, SPECEX_PATH_BANDED, SPECEX_PATH_BANDED}) {
    result.status = SPECEX_OK;
    result.path = path;
    specex::place_patch(patch, result, frame.frame);
  }
  result.status = SPECEX_ERROR_NUMERIC;
  result.path = SPECEX_PATH_NONE;
  specex::place_patch(patch, result, frame.frame);
  assert_int_equal(frame.frame.npatch, 4);
  assert_int_equal(frame.frame.npatch_failed, 1);
  assert_int_equal(frame.frame.npath_dense, 1);
  assert_int_equal(frame.frame.npath_banded, 2);
}

void frame_bad_fit_needs_both_medians(void **) {
  constexpr int nspec = 5;
  constexpr int nwave = 7;
  Frame frame(0, nspec, nwave, 3, 0, 0);
  specex::clear_frame(*frame.get());
  std::fill(frame.mask.begin(), frame.mask.end(), 0);
  std::fill(frame.chi2pix.begin(), frame.chi2pix.end(), 1.0);
  const auto at = [](int i, int w) { return static_cast<size_t>(i * nwave + w); };
  frame.chi2pix[at(1, 2)] = 5.1;                                   // bad
  frame.chi2pix[at(1, 3)] = 4.9;                                   // not quite
  for (int w = 0; w < nwave; ++w) frame.chi2pix[at(3, w)] = 20.0;  // a bad fibre
  for (int i = 0; i < nspec; ++i) frame.chi2pix[at(i, 6)] = 30.0;  // a bad wavelength
  frame.mask[at(1, 2)] = SPECEX_MASK_SOMEBADPIX;
  specex::flag_bad_fits(frame.frame);
  for (int i = 0; i < nspec; ++i)
    for (int w = 0; w < nwave; ++w)
      assert_int_equal(
          frame.mask[at(i, w)],
          i == 1 && w == 2 ? SPECEX_MASK_SOMEBADPIX | SPECEX_MASK_BAD2DFIT : 0);
}

void frame_bad_fit_takes_the_mean_of_the_middle_two(void **) {
  Frame frame(0, 4, 1, 3, 0, 0);
  specex::clear_frame(*frame.get());
  std::fill(frame.mask.begin(), frame.mask.end(), 0);
  frame.chi2pix = {1.0, 3.0, 1.0, 10.1};  // median over fibres 2: 10.1 is above 5 x 2
  specex::flag_bad_fits(frame.frame);     // but the fibre's own median is 10.1
  for (const int32_t mask : frame.mask) assert_int_equal(mask, 0);
  Frame wide(0, 4, 3, 3, 0, 0);
  specex::clear_frame(*wide.get());
  std::fill(wide.mask.begin(), wide.mask.end(), 0);
  wide.chi2pix = {1, 1, 1, 1, 3, 1, 1, 1, 1, 1, 10.1, 1};  // the same in the middle bin
  specex::flag_bad_fits(wide.frame);
  for (size_t k = 0; k < wide.mask.size(); ++k)
    assert_int_equal(wide.mask[k], k == 10 ? SPECEX_MASK_BAD2DFIT : 0);
}

void frame_bad_fit_without_arrays_does_nothing(void **) {
  Frame frame(0, 2, 2, 3, 0, 0);
  specex::clear_frame(*frame.get());
  frame.frame.chi2pix = nullptr;
  specex::flag_bad_fits(frame.frame);
  for (const int32_t mask : frame.mask) assert_int_equal(mask, SPECEX_MASK_NODATA);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(frame_patch_is_trimmed_and_placed),
      cmocka_unit_test(frame_patch_keeps_only_the_bins_of_the_grid),
      cmocka_unit_test(frame_models_add_up_where_they_are_on_the_image),
      cmocka_unit_test(frame_counts_say_how_patches_went),
      cmocka_unit_test(frame_bad_fit_needs_both_medians),
      cmocka_unit_test(frame_bad_fit_takes_the_mean_of_the_middle_two),
      cmocka_unit_test(frame_bad_fit_without_arrays_does_nothing),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
