// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/cpu/banded_solve.hpp"

namespace specex {
namespace {

size_t at(int index) { return static_cast<size_t>(index); }

}  // namespace

std::optional<Solution> banded_solve(const specex_patch &patch,
                                     const BandedNormal &normal) {
  const PatchShape shape(patch);
  const BandCholesky cholesky(normal.n, normal.half, normal.lower);
  if (!cholesky.ok()) return std::nullopt;

  std::vector<double> x(at(normal.n));
  for (int f = 0; f < shape.nfiber; ++f)
    for (int w = 0; w < shape.nbin; ++w)
      x[at(banded_index(shape, f, w))] = normal.sums.data[at(f * shape.nbin + w)];
  cholesky.solve(x.data());
  Solution solution;
  for (int f = 0; f < shape.nfiber; ++f)
    for (int w = 0; w < shape.nbin; ++w)
      solution.flux.push_back(x[at(banded_index(shape, f, w))]);

  std::vector<int> own(at(shape.nbin));
  for (int i = 0; i < patch.nfiber; ++i) {
    const int f = shape.core_fiber + i;
    for (int w = 0; w < shape.nbin; ++w) own[at(w)] = banded_index(shape, f, w);
    Symmetric marginal = cholesky.inverse_block(own.data(), shape.nbin);
    if (!invert_by_cholesky(marginal)) return std::nullopt;
    const Symmetric root = square_root(marginal);
    solution.roots.push_back(fiber_root(root.elements.data(), shape.nbin, shape.nbin,
                                        shape.nbin, 0, patch.ndiag,
                                        solution.flux.data() + f * shape.nbin));
  }
  return solution;
}

}  // namespace specex
