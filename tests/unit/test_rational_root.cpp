// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/shared/rational_root.hpp"

#include <algorithm>
#include <cmath>

#include "support/cmocka.hpp"

namespace {

using specex::RationalRoot;

// In long double, so that only the approximation's own error is seen.
double relative_error(const RationalRoot &root, long double x) {
  long double sum = 0.0L;
  for (size_t k = 0; k < root.shift.size(); ++k)
    sum += root.weight[k] * x / (x + root.shift[k]);
  return static_cast<double>(std::abs(sum / std::sqrt(x) - 1.0L));
}

void rational_root_over_its_interval_is_within_the_tolerance(void **) {
  constexpr int samples = 20000;
  for (const RationalRoot &root : specex::rational_roots()) {
    double worst = 0.0;
    for (int k = 0; k <= samples; ++k)
      worst = std::max(
          worst, relative_error(root, std::pow(static_cast<long double>(root.kappa),
                                               -static_cast<long double>(k) / samples)));
    // The library balances the error over fewer samples.
    assert_at_most(worst, 1.001 * specex::root_tolerance);
  }
}

void rational_root_beyond_its_interval_is_not(void **) {
  for (const RationalRoot &root : specex::rational_roots()) {
    const auto low = 1.0L / static_cast<long double>(root.kappa);
    assert_true(relative_error(root, 0.1L * low) > specex::root_tolerance);
    assert_true(relative_error(root, 10.0L) > specex::root_tolerance);
  }
}

void rational_root_classes_rise_and_reach_what_doubles_tell_apart(void **) {
  const auto &roots = specex::rational_roots();
  assert_true(roots.size() > 10);
  for (size_t k = 1; k < roots.size(); ++k) {
    assert_true(roots[k].kappa > roots[k - 1].kappa);
    assert_true(roots[k].shift.size() >= roots[k - 1].shift.size());
  }
  assert_true(roots.back().kappa > 1e13);
}

void rational_root_terms_are_positive_so_that_no_sum_cancels(void **) {
  for (const RationalRoot &root : specex::rational_roots()) {
    assert_int_equal(root.shift.size(), root.weight.size());
    assert_true(root.shift.size() <= 60);
    for (size_t k = 0; k < root.shift.size(); ++k) {
      assert_true(root.shift[k] > 0.0 && std::isfinite(root.shift[k]));
      assert_true(root.weight[k] > 0.0 && std::isfinite(root.weight[k]));
    }
    assert_true(std::is_sorted(root.shift.begin(), root.shift.end()));
  }
}

void rational_root_is_made_once(void **) {
  assert_ptr_equal(&specex::rational_roots(), &specex::rational_roots());
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(rational_root_over_its_interval_is_within_the_tolerance),
      cmocka_unit_test(rational_root_beyond_its_interval_is_not),
      cmocka_unit_test(rational_root_classes_rise_and_reach_what_doubles_tell_apart),
      cmocka_unit_test(rational_root_terms_are_positive_so_that_no_sum_cancels),
      cmocka_unit_test(rational_root_is_made_once),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
