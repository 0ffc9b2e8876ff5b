// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/shared/dense_algebra.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "support/cmocka.hpp"
#include "support/random.hpp"

namespace {

using specex::Symmetric;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double inf = std::numeric_limits<double>::infinity();

// Positive definite with half bandwidth `half`, rows scaled by `scale`^(i mod 5).
Symmetric banded(int n, int half, double scale = 1.0) {
  specex_test::Random random(static_cast<uint64_t>(n * 1000 + half));
  Symmetric a(n);
  for (int j = 0; j < n; ++j)
    for (int i = j; i < std::min(n, j + half + 1); ++i)
      a(i, j) = a(j, i) = i == j ? 2.0 * half + 2.0 : random.uniform();
  for (int j = 0; j < n; ++j)
    for (int i = 0; i < n; ++i)
      a(i, j) *= std::pow(scale, i % 5) * std::pow(scale, j % 5);
  return a;
}

// max |a b - 1|
double distance_from_unity(const Symmetric &a, const Symmetric &b) {
  double worst = 0.0;
  for (int i = 0; i < a.n; ++i)
    for (int j = 0; j < a.n; ++j) {
      double sum = i == j ? -1.0 : 0.0;
      for (int k = 0; k < a.n; ++k) sum += a(i, k) * b(k, j);
      worst = std::max(worst, std::abs(sum));
    }
  return worst;
}

specex_status status_of(Symmetric (*function)(const Symmetric &), const Symmetric &a) {
  try {
    function(a);
  } catch (const specex::Error &error) {
    return error.status();
  }
  return SPECEX_OK;
}

void dense_algebra_inverse_times_matrix_is_unity(void **) {
  for (const int n : {1, 2, 3, 5, 10, 16, 90}) {
    const Symmetric a = banded(n, 4);
    assert_at_most(distance_from_unity(a, specex::inverse_by_eigenvectors(a)), 1e-13);
    Symmetric b = a;
    assert_true(specex::invert_by_cholesky(b));
    assert_at_most(distance_from_unity(a, b), 1e-13);
  }
}

void dense_algebra_inverse_stays_accurate_where_rows_differ_in_weight(void **) {
  const Symmetric a = banded(40, 3, 1e-9);  // diagonal from 8 to 8e-72
  Symmetric expected = a;
  assert_true(specex::invert_by_cholesky(expected));
  const Symmetric inverse = specex::inverse_by_eigenvectors(a);
  for (int j = 0; j < a.n; ++j)
    for (int i = 0; i < a.n; ++i)
      assert_near(inverse(i, j) * std::sqrt(a(i, i) * a(j, j)),
                  expected(i, j) * std::sqrt(a(i, i) * a(j, j)), 1e-12);
}

void dense_algebra_inverse_of_a_singular_matrix_is_finite(void **) {
  Symmetric a(3);  // rank 1
  for (int j = 0; j < 3; ++j)
    for (int i = 0; i < 3; ++i) a(i, j) = 2.0;
  const Symmetric inverse = specex::inverse_by_eigenvectors(a);
  assert_true(specex::all_finite(inverse.elements.data(), inverse.elements.size()));
  Symmetric b = a;
  b(2, 2) = -1.0;
  assert_false(specex::invert_by_cholesky(b));
}

void dense_algebra_square_root_squared_is_the_matrix(void **) {
  for (const int n : {1, 2, 7, 33}) {
    const Symmetric a = banded(n, 5);
    const Symmetric root = specex::square_root(a);
    for (int j = 0; j < n; ++j)
      for (int i = 0; i < n; ++i) {
        double sum = 0.0;
        for (int k = 0; k < n; ++k) sum += root(i, k) * root(k, j);
        assert_near(sum, a(i, j), 1e-13 * a(0, 0));
        assert_near(root(i, j), root(j, i), 1e-14 * a(0, 0));
      }
  }
}

void dense_algebra_graded_square_root_keeps_small_rows(void **) {
  for (const int n : {1, 2, 7, 33}) {
    Symmetric a = banded(n, 5);
    const auto scale = [&](int i) { return i < n / 2 ? 1.0 : 1e-6; };
    for (int j = 0; j < n; ++j)
      for (int i = 0; i < n; ++i) a(i, j) *= scale(i) * scale(j);
    const Symmetric root = specex::graded_square_root(a);
    for (int j = 0; j < n; ++j)
      for (int i = 0; i < n; ++i) {
        double sum = 0.0;
        for (int k = 0; k < n; ++k) sum += root(i, k) * root(k, j);
        assert_near(sum, a(i, j), 1e-13 * std::sqrt(a(i, i) * a(j, j)));
      }
  }
}

void dense_algebra_square_root_takes_rounding_below_zero_as_zero(void **) {
  Symmetric a(2);
  a(0, 0) = 4.0;
  a(1, 1) = -1e-18;
  for (const auto root_of : {specex::square_root, specex::graded_square_root}) {
    const Symmetric root = root_of(a);
    assert_near(root(0, 0), 2.0, 1e-15);
    assert_near(root(1, 1), 0.0, 1e-12);
  }
}

void dense_algebra_cholesky_solves_as_the_dense_inverse(void **) {
  for (const int half : {0, 1, 3, 9}) {
    constexpr int n = 30;
    const Symmetric a = banded(n, half);
    const Symmetric inverse = specex::inverse_by_eigenvectors(a);
    Symmetric l = a;
    assert_true(specex::cholesky(l));
    std::vector<double> x(n);
    for (int i = 0; i < n; ++i) x[static_cast<size_t>(i)] = std::sin(i + 1.0);
    const std::vector<double> b = x;
    specex::solve_lower(l, false, x.data());
    specex::solve_lower(l, true, x.data());
    for (int i = 0; i < n; ++i) {
      double expected = 0.0;
      for (int j = 0; j < n; ++j) expected += inverse(i, j) * b[static_cast<size_t>(j)];
      assert_near(x[static_cast<size_t>(i)], expected, 1e-13);
    }
  }
}

// With Y = L^-1 X, what is left of D after Y^T Y is taken away is the inverse of the
// block of the inverse of (A X; X^T D).
void dense_algebra_elimination_of_a_block_leaves_its_schur_complement(void **) {
  constexpr int n = 12;
  constexpr int first = 7;
  const Symmetric whole = banded(n, 5);
  const Symmetric inverse = specex::inverse_by_eigenvectors(whole);
  Symmetric l = specex::diagonal_block(whole, 0, first);
  assert_true(specex::cholesky(l));
  specex::Matrix y(first, n - first);
  for (int i = 0; i < first; ++i)
    for (int j = 0; j < n - first; ++j) y(i, j) = whole(i, first + j);
  specex::Matrix same = specex::transposed(specex::transposed(y));
  assert_near(same(3, 2), y(3, 2), 0.0);
  specex::solve_lower(l, y);
  Symmetric left = specex::diagonal_block(whole, first, n - first);
  specex::subtract_gram(y, left);
  assert_true(specex::invert_by_cholesky(left));
  for (int i = 0; i < n - first; ++i)
    for (int j = 0; j < n - first; ++j)
      assert_near(left(i, j), inverse(first + i, first + j), 1e-13);
  const std::vector<double> x{1.0, -2.0, 3.0, 0.5, 1.5};
  std::vector<double> b(first, 0.0);
  specex::subtract_product(y, false, x.data(), b.data());
  double expected = 0.0;
  for (int j = 0; j < n - first; ++j) expected -= y(4, j) * x[static_cast<size_t>(j)];
  assert_near(b[4], expected, 1e-13);
}

void dense_algebra_not_finite_is_caught_wherever_it_is(void **) {
  for (const double wrong : {nan, inf, -inf})
    for (const int place : {0, 5, 11}) {
      Symmetric a = banded(12, 3);
      a(place, place) = wrong;
      Symmetric copy = a;
      assert_false(specex::invert_by_cholesky(copy));
      copy = a;
      assert_false(specex::cholesky(copy));
      assert_int_equal(status_of(specex::square_root, a), SPECEX_ERROR_NUMERIC);
      assert_int_equal(status_of(specex::graded_square_root, a), SPECEX_ERROR_NUMERIC);
      assert_int_equal(status_of(specex::inverse_by_eigenvectors, a),
                       SPECEX_ERROR_NUMERIC);
    }
}

void dense_algebra_indefinite_matrices_are_refused(void **) {
  Symmetric a = banded(12, 3);
  a(7, 7) = -1.0;
  Symmetric copy = a;
  assert_false(specex::cholesky(copy));
  assert_false(specex::invert_by_cholesky(a));
  Symmetric tiny(1);  // the inverse is not finite
  tiny(0, 0) = 1e-310;
  assert_false(specex::invert_by_cholesky(tiny));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(dense_algebra_inverse_times_matrix_is_unity),
      cmocka_unit_test(dense_algebra_inverse_stays_accurate_where_rows_differ_in_weight),
      cmocka_unit_test(dense_algebra_inverse_of_a_singular_matrix_is_finite),
      cmocka_unit_test(dense_algebra_square_root_squared_is_the_matrix),
      cmocka_unit_test(dense_algebra_graded_square_root_keeps_small_rows),
      cmocka_unit_test(dense_algebra_square_root_takes_rounding_below_zero_as_zero),
      cmocka_unit_test(dense_algebra_cholesky_solves_as_the_dense_inverse),
      cmocka_unit_test(dense_algebra_elimination_of_a_block_leaves_its_schur_complement),
      cmocka_unit_test(dense_algebra_not_finite_is_caught_wherever_it_is),
      cmocka_unit_test(dense_algebra_indefinite_matrices_are_refused),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
