// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/shared/dense_solve.hpp"

namespace specex {
namespace {

size_t at(int index) { return static_cast<size_t>(index); }

}  // namespace

Solution dense_solve(const Rules &rules, const specex_patch &patch,
                     const Symmetric &normal, const std::vector<double> &data) {
  const PatchShape shape(patch);
  const int n = shape.size();
  const Symmetric covariance = inverse_by_eigenvectors(normal);
  Solution solution;
  solution.flux.resize(at(n));
  for (int j = 0; j < n; ++j)
    for (int i = 0; i < n; ++i) solution.flux[at(i)] += covariance(i, j) * data[at(j)];

  Symmetric noise_root;
  if (rules.noise) noise_root = square_root(normal);
  for (int i = 0; i < patch.nfiber; ++i) {
    const int first = (shape.core_fiber + i) * shape.nbin;
    if (rules.noise) {
      solution.roots.push_back(fiber_root(&noise_root(first, 0), shape.nbin, n, n, first,
                                          patch.ndiag, solution.flux.data()));
    } else {
      const Symmetric marginal =
          inverse_by_eigenvectors(diagonal_block(covariance, first, shape.nbin));
      const Symmetric root = graded_square_root(marginal);
      solution.roots.push_back(fiber_root(root.elements.data(), shape.nbin, shape.nbin,
                                          shape.nbin, 0, patch.ndiag,
                                          solution.flux.data() + first));
    }
  }
  return solution;
}

}  // namespace specex
