// SPDX-License-Identifier: BSD-3-Clause
#include "model/legendre.hpp"

#include <cmath>

#include "support/cmocka.hpp"

namespace {

void legendre_single_terms_are_the_printed_polynomials(void **) {
  for (const double t : {-1.3, -1.0, -0.4, 0.0, 0.25, 1.0, 1.7}) {
    const double expected[] = {1.0, t, (3 * t * t - 1) / 2, (5 * t * t * t - 3 * t) / 2,
                               (35 * t * t * t * t - 30 * t * t + 3) / 8};
    for (int k = 0; k < 5; ++k) {
      double coefficients[5] = {};
      coefficients[k] = 2.5;
      assert_near(specex::legendre_sum(coefficients, 5, t), 2.5 * expected[k], 1e-13);
    }
  }
}

void legendre_ends_of_the_range_give_the_plain_and_alternating_sum(void **) {
  const double coefficients[] = {3.0, -1.0, 0.5, 0.25, -2.0};
  assert_near(specex::legendre_sum(coefficients, 5, 1.0), 0.75, 1e-15);
  assert_near(specex::legendre_sum(coefficients, 5, -1.0), 2.25, 1e-15);
}

void legendre_table_uses_its_own_range_and_extrapolates(void **) {
  const specex::LegendreTable table{2, 4000.0, 6000.0, {10.0, 1.0, 20.0, -4.0}};
  assert_near(table.at(0, 4000.0), 9.0, 0.0);
  assert_near(table.at(0, 5000.0), 10.0, 0.0);
  assert_near(table.at(1, 6000.0), 16.0, 0.0);
  assert_near(table.at(1, 7000.0), 12.0, 0.0);  // t = 2
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(legendre_single_terms_are_the_printed_polynomials),
      cmocka_unit_test(legendre_ends_of_the_range_give_the_plain_and_alternating_sum),
      cmocka_unit_test(legendre_table_uses_its_own_range_and_extrapolates),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
