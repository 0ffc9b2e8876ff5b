// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

extern "C" {
#include <cmocka.h>
}

#include "kernels/shared/dense_algebra.hpp"

namespace {

// Large enough for the blocked algorithms, which use OpenBLAS's work space.
specex::Symmetric example(int seed) {
  specex::Symmetric a(150);
  uint32_t state = static_cast<uint32_t>(seed) + 1;
  for (int j = 0; j < a.n; ++j)
    for (int i = 0; i <= j; ++i) {
      state = state * 1664525u + 1013904223u;
      a(i, j) = a(j, i) = (state >> 8) * 0x1p-24 + (i == j ? a.n : 0.0);
    }
  return a;
}

void blas_buffers_many_threads_give_the_bits_of_one(void **) {
  constexpr int nmatrix = 4;
  std::vector<std::vector<double>> expected;
  for (int seed = 0; seed < nmatrix; ++seed)
    expected.push_back(specex::square_root(example(seed)).elements);

  constexpr int nthread = 8;
  std::vector<int> wrong(nthread, 0);
  std::vector<std::thread> threads;
  for (int t = 0; t < nthread; ++t)
    threads.emplace_back([&, t] {
      for (int k = 0; k < 60; ++k) {
        const int seed = (t + k) % nmatrix;
        if (specex::square_root(example(seed)).elements !=
            expected[static_cast<size_t>(seed)])
          ++wrong[static_cast<size_t>(t)];
      }
    });
  for (std::thread &thread : threads) thread.join();
  for (const int count : wrong) assert_int_equal(count, 0);
}

void blas_buffers_square_root_squares_to_the_matrix(void **) {
  const specex::Symmetric a = example(7);
  const specex::Symmetric root = specex::square_root(a);
  double worst = 0.0;
  for (int j = 0; j < a.n; ++j)
    for (int i = 0; i < a.n; ++i) {
      double sum = 0.0;
      for (int k = 0; k < a.n; ++k) sum += root(i, k) * root(k, j);
      worst = std::max(worst, std::abs(sum - a(i, j)));
    }
  assert_true(worst < 1e-13 * a.n * a.n);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(blas_buffers_many_threads_give_the_bits_of_one),
      cmocka_unit_test(blas_buffers_square_root_squares_to_the_matrix),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
