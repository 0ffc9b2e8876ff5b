// SPDX-License-Identifier: BSD-3-Clause
//
// The scalar rules of both modes, one at a time.
#include <cmath>
#include <limits>

#include "kernels/shared/chi2.hpp"
#include "kernels/shared/image.hpp"
#include "kernels/shared/rules.hpp"
#include "support/cmocka.hpp"

namespace {

using specex::BinSums;
using specex::Rules;

BinSums three_bins() {
  BinSums sums(3);
  sums.diagonal = {4.0, 2.0, 0.5};
  sums.weight = {8.0, 8e-5, 8e-4};
  sums.usable = {1.0, 2e-4, 0.5};
  return sums;
}

void conditioning_compat_adds_the_square_of_the_lacking_weight(void **) {
  BinSums sums = three_bins();
  const std::vector<bool> measured = specex::condition({.compat = true}, sums);
  const double alpha = 8e-4 - 8e-5;  // of the second bin only: the third has just enough
  assert_near(sums.diagonal[0], 4.0 + 1e-15, 0.0);
  assert_near(sums.diagonal[1], 2.0 + (alpha * alpha + 1e-15), 0.0);
  assert_near(sums.diagonal[2], 0.5 + 1e-15, 1e-16);
  for (const bool is : measured) assert_true(is);
}

void conditioning_compat_regularizes_where_weight_is_enough(void **) {
  BinSums sums = three_bins();
  specex::condition({.compat = true, .regularize = 0.1}, sums);
  assert_near(sums.diagonal[0], 4.01, 1e-14);
  assert_near(sums.diagonal[1], 2.0 + 7.2e-4 * 7.2e-4, 1e-14);  // alpha, not regularize
}

void conditioning_default_decouples_bins_without_data(void **) {
  BinSums sums = three_bins();
  sums.usable[1] = 0.99e-4;
  const std::vector<bool> measured = specex::condition({}, sums);
  assert_true(measured[0] && !measured[1] && measured[2]);
  assert_near(sums.diagonal[0], 4.0 * (1.0 + 1e-12), 0.0);
  assert_near(sums.diagonal[1], 4.0, 0.0);  // the largest of the others
  assert_near(sums.diagonal[2], 0.5 * (1.0 + 1e-12), 1e-16);
}

void conditioning_default_regularizes_measured_bins_only(void **) {
  BinSums sums = three_bins();
  sums.usable[1] = 0.0;
  specex::condition({.regularize = 2.0}, sums);
  assert_near(sums.diagonal[0], 8.0, 1e-11);
  assert_near(sums.diagonal[1], 4.0, 0.0);
  assert_near(sums.diagonal[2], 4.5, 1e-11);
}

void conditioning_no_data_at_all_gives_a_positive_diagonal(void **) {
  for (const bool compat : {false, true}) {
    BinSums sums(4);
    const std::vector<bool> measured = specex::condition({.compat = compat}, sums);
    for (size_t q = 0; q < 4; ++q) {
      assert_true(sums.diagonal[q] > 0.0);
      assert_true(measured[q] == compat);
    }
  }
}

void conditioning_pixel_chi2_has_both_errors(void **) {
  // residual 3, variance 4, model error 0.5
  assert_near(specex::pixel_chi2(8.0, 0.25, 5.0, 0.1), 9.0 / 4.25, 1e-15);
  assert_near(specex::pixel_chi2(8.0, 0.25, 5.0, 0.0), 9.0 / 4.0, 1e-15);
  assert_near(specex::pixel_chi2(8.0, 0.25, -5.0, 0.1), 169.0 / 4.25, 1e-13);
}

void conditioning_mask_bits_follow_the_mode(void **) {
  const Rules corrected{};
  const Rules compat{.compat = true};
  const int some = SPECEX_MASK_SOMEBADPIX;
  const int all = SPECEX_MASK_ALLBADPIX;
  const int none = SPECEX_MASK_NODATA;
  assert_int_equal(specex::bin_mask(corrected, true, 1.0, 0.0), 0);
  assert_int_equal(specex::bin_mask(corrected, true, 0.5, 0.5), 0);
  assert_int_equal(specex::bin_mask(corrected, true, 0.49, 0.51), some);
  assert_int_equal(specex::bin_mask(corrected, false, 0.0, 1.0), some | all | none);
  // Rounding must not hide that every pixel is bad; the peer's comparison lets it.
  assert_int_equal(specex::bin_mask(corrected, false, 1e-17, 1.0 - 1e-15),
                   some | all | none);
  assert_int_equal(specex::bin_mask(compat, true, 1e-17, 1.0 - 1e-15), some);
  assert_int_equal(specex::bin_mask(compat, true, 0.0, 1.0), some | all);
  assert_int_equal(specex::bin_mask(compat, false, 0.0, 0.0), none);
}

void conditioning_unusable_pixels_become_zero_weight_and_value(void **) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  constexpr double inf = std::numeric_limits<double>::infinity();
  const struct {
    double value, ivar;
    bool bad, used;
  } cases[] = {{1.5, 0.5, false, true},  {nan, 0.5, true, false},
               {inf, 0.5, true, false},  {-inf, 0.5, true, false},
               {1.5, nan, true, false},  {1.5, inf, true, false},
               {1.5, -1.0, true, false}, {nan, 0.0, true, false},
               {1.5, 0.0, false, false}, {1.5, -0.0, false, false}};
  for (const auto &c : cases) {
    assert_true(specex::is_bad(c.value, c.ivar) == c.bad);
    const specex::Pixel pixel = specex::clean(c.value, c.ivar);
    assert_near(pixel.value, c.used ? c.value : 0.0, 0.0);
    assert_near(pixel.weight, c.used ? c.ivar : 0.0, 0.0);
  }
}

void conditioning_pixels_of_both_types_and_strides_are_read(void **) {
  const float single[] = {1, 2, 3, 4, 5, 6};
  const double twice[] = {9, 8, 7, 6, 5, 4, 3, 2};
  specex_image image{};
  image.nx = image.ny = 2;
  image.type = SPECEX_FLOAT32;
  image.pixels = image.ivar = single;
  image.pixels_stride = 3;
  image.ivar_stride = 2;
  assert_near(specex::pixel_at(image, 1, 1).value, 5.0, 0.0);
  assert_near(specex::pixel_at(image, 1, 1).weight, 4.0, 0.0);
  image.type = SPECEX_FLOAT64;
  image.pixels = image.ivar = twice;
  image.pixels_stride = 4;
  assert_near(specex::pixel_at(image, 1, 0).value, 5.0, 0.0);
  assert_near(specex::pixel_at(image, 1, 0).weight, 7.0, 0.0);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(conditioning_compat_adds_the_square_of_the_lacking_weight),
      cmocka_unit_test(conditioning_compat_regularizes_where_weight_is_enough),
      cmocka_unit_test(conditioning_default_decouples_bins_without_data),
      cmocka_unit_test(conditioning_default_regularizes_measured_bins_only),
      cmocka_unit_test(conditioning_no_data_at_all_gives_a_positive_diagonal),
      cmocka_unit_test(conditioning_pixel_chi2_has_both_errors),
      cmocka_unit_test(conditioning_mask_bits_follow_the_mode),
      cmocka_unit_test(conditioning_unusable_pixels_become_zero_weight_and_value),
      cmocka_unit_test(conditioning_pixels_of_both_types_and_strides_are_read),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
