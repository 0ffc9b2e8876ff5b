// SPDX-License-Identifier: BSD-3-Clause
//
// Elimination of whole fibres against dense eigenvectors, on random matrices.
#include "kernels/cpu/block_solve.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/shared/dense_solve.hpp"
#include "support/cmocka.hpp"
#include "support/random.hpp"

namespace {

using specex::NormalEquations;
using specex::PatchShape;
using specex::Solution;

constexpr int nbin = 12;
constexpr int ndiag = 5;

// Fibres [pad_fibers, nfiber - pad_fibers) are the core.
specex_patch patch_of(int nfiber, int pad_fibers) {
  specex_patch patch{};
  patch.first_fiber = pad_fibers;
  patch.nfiber = nfiber - 2 * pad_fibers;
  patch.pad_nfiber = nfiber;
  patch.first_bin = 2;
  patch.nbin = patch.nkeep = nbin - 4;
  patch.pad_nbin = nbin;
  patch.ndiag = ndiag;
  return patch;
}

// Diagonally dominant; bins up to 3 apart are coupled in fibres up to `reach` apart.
NormalEquations random_normal(const specex_patch &patch, int reach, uint64_t seed) {
  specex_test::Random random(seed);
  const PatchShape shape(patch);
  NormalEquations normal;
  normal.sums = specex::BinSums(static_cast<size_t>(shape.size()));
  for (double &value : normal.sums.data) value = random.normal();
  for (double &value : normal.sums.diagonal) value = 8.0 + 4.0 * reach;
  for (int f = 0; f < shape.nfiber; ++f)
    for (int g = f; g < shape.nfiber && g <= f + reach; ++g)
      for (int w = 0; w < nbin; ++w)
        for (int v = std::max(0, w - 3); v < nbin && v <= w + 3; ++v)
          if (f < g || w < v) normal.elements.push_back({f, w, g, v, random.uniform()});
  return normal;
}

Solution dense(const specex_patch &patch, const NormalEquations &normal) {
  return specex::dense_solve({}, patch, normal.dense_by_fiber(PatchShape(patch)),
                             normal.sums.data);
}

void assert_close(const std::vector<double> &a, const std::vector<double> &b) {
  assert_int_equal(a.size(), b.size());
  for (size_t k = 0; k < a.size(); ++k) assert_near(a[k], b[k], 1e-12);
}

void block_solve_equals_dense_eigenvectors(void **) {
  for (const int reach : {0, 1, 2, 3})
    for (const int nfiber : {1, 2, 3, 4, 5, 6, 7, 8})
      for (const int pad_fibers : {0, 1}) {
        if (nfiber <= 2 * pad_fibers) continue;
        const specex_patch patch = patch_of(nfiber, pad_fibers);
        const NormalEquations normal =
            random_normal(patch, reach, static_cast<uint64_t>(100 * reach + nfiber));
        const std::optional<Solution> solution = specex::block_solve(patch, normal);
        assert_true(solution.has_value());
        const Solution expected = dense(patch, normal);
        assert_close(solution->flux, expected.flux);
        assert_int_equal(solution->roots.size(), patch.nfiber);
        for (size_t i = 0; i < expected.roots.size(); ++i) {
          assert_close(solution->roots[i].row_sum, expected.roots[i].row_sum);
          assert_close(solution->roots[i].smoothed, expected.roots[i].smoothed);
          assert_close(solution->roots[i].band, expected.roots[i].band);
        }
      }
}

// Fibres that no light couples give what each gives alone.
void block_solve_takes_fibres_apart_where_nothing_couples_them(void **) {
  const specex_patch both = patch_of(2, 0);
  const NormalEquations normal = random_normal(both, 0, 3);
  const std::optional<Solution> together = specex::block_solve(both, normal);
  assert_true(together.has_value());
  const specex_patch one = patch_of(1, 0);
  const specex::Symmetric whole = normal.dense_by_fiber(PatchShape(both));
  for (int f = 0; f < 2; ++f) {
    const std::vector<double> data(normal.sums.data.begin() + f * nbin,
                                   normal.sums.data.begin() + (f + 1) * nbin);
    const Solution alone =
        specex::dense_solve({}, one, specex::diagonal_block(whole, f * nbin, nbin), data);
    assert_close(together->roots[static_cast<size_t>(f)].band, alone.roots[0].band);
    assert_close(together->roots[static_cast<size_t>(f)].smoothed,
                 alone.roots[0].smoothed);
  }
}

// Within a block, and only once its neighbours are eliminated.
void block_solve_refuses_singular_matrices(void **) {
  const specex_patch patch = patch_of(3, 0);
  const NormalEquations good = random_normal(patch, 1, 5);
  for (const double diagonal : {0.0, -1.0, std::nan("")}) {
    NormalEquations normal = good;
    normal.sums.diagonal[nbin + 1] = diagonal;
    assert_false(specex::block_solve(patch, normal).has_value());
  }
  // Bins 0 of fibres 0 and 1 are one and the same.
  NormalEquations twins = good;
  std::erase_if(twins.elements, [](const NormalEquations::Element &e) {
    const auto is_twin = [](int fiber, int bin) { return fiber < 2 && bin == 0; };
    return is_twin(e.f, e.w) || is_twin(e.g, e.v);
  });
  twins.elements.push_back({0, 0, 1, 0, 5.0});
  twins.sums.diagonal[0] = twins.sums.diagonal[nbin] = 5.0;
  assert_false(specex::block_solve(patch, twins).has_value());
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(block_solve_equals_dense_eigenvectors),
      cmocka_unit_test(block_solve_takes_fibres_apart_where_nothing_couples_them),
      cmocka_unit_test(block_solve_refuses_singular_matrices),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
