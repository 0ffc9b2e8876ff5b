// SPDX-License-Identifier: BSD-3-Clause
//
// Pixel-integrated Gauss-Hermite profiles against numerical integration of the functions
// they are the integrals of.
#include "kernels/shared/gauss_hermite.hpp"

#include <array>
#include <cmath>
#include <numeric>
#include <vector>

#include "support/cmocka.hpp"

namespace {

double hermite(int m, double t) {
  if (m == 0) return 1.0;
  if (m == 1) return t;
  return t * hermite(m - 1, t) - (m - 1) * hermite(m - 2, t);
}

double density(int m, double t) {
  return hermite(m, t) * std::exp(-0.5 * t * t) / std::sqrt(2.0 * std::acos(-1.0));
}

// Gauss-Legendre with five nodes on each of many intervals.
double integral(int m, double from, double to) {
  constexpr std::array<double, 5> node{-0.9061798459386640, -0.5384693101056831, 0.0,
                                       0.5384693101056831, 0.9061798459386640};
  constexpr std::array<double, 5> weight{0.2369268850561891, 0.4786286704993665,
                                         0.5688888888888889, 0.4786286704993665,
                                         0.2369268850561891};
  constexpr int parts = 40;
  const double half = 0.5 * (to - from) / parts;
  double sum = 0.0;
  for (int part = 0; part < parts; ++part)
    for (size_t k = 0; k < node.size(); ++k)
      sum += weight[k] * half * density(m, from + half * (2 * part + 1 + node[k]));
  return sum;
}

std::vector<double> profiles(double offset, double sigma, int half, int degree) {
  const auto npixel = static_cast<size_t>(2 * half + 1);
  std::vector<double> profile(static_cast<size_t>(degree + 1) * npixel);
  std::vector<double> edge(static_cast<size_t>(degree + 1) * (npixel + 1));
  specex::hermite_profiles(offset, sigma, half, degree, profile.data(), edge.data());
  return profile;
}

void gauss_hermite_profiles_equal_numerical_integrals(void **) {
  constexpr int half = 5;
  constexpr int degree = 6;
  constexpr int npixel = 2 * half + 1;
  for (const double sigma : {0.6, 1.1, 2.3})
    for (const double offset : {-0.5, -0.13, 0.0, 0.4}) {
      const std::vector<double> profile = profiles(offset, sigma, half, degree);
      for (int m = 0; m <= degree; ++m)
        for (int k = 0; k < npixel; ++k) {
          const double low = (k - half - 0.5 - offset) / sigma;
          assert_near(profile[static_cast<size_t>(m * npixel + k)],
                      integral(m, low, low + 1.0 / sigma), 1e-12);
        }
    }
}

void gauss_hermite_degree_0_sums_to_1_in_a_wide_stamp(void **) {
  const std::vector<double> profile = profiles(0.3, 1.0, 12, 0);
  assert_near(std::accumulate(profile.begin(), profile.end(), 0.0), 1.0, 1e-14);
}

void gauss_hermite_mirrored_offset_mirrors_the_profile(void **) {
  constexpr int half = 4;
  const std::vector<double> right = profiles(0.27, 1.2, half, 3);
  const std::vector<double> left = profiles(-0.27, 1.2, half, 3);
  for (size_t m = 0; m <= 3; ++m)
    for (size_t k = 0; k < 9; ++k)
      assert_near(right[m * 9 + k], (m % 2 == 0 ? 1.0 : -1.0) * left[m * 9 + 8 - k],
                  1e-15);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(gauss_hermite_profiles_equal_numerical_integrals),
      cmocka_unit_test(gauss_hermite_degree_0_sums_to_1_in_a_wide_stamp),
      cmocka_unit_test(gauss_hermite_mirrored_offset_mirrors_the_profile),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
