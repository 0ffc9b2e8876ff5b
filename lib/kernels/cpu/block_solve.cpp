// SPDX-License-Identifier: BSD-3-Clause
//
// Fibres are taken in groups as wide as the coupling reaches, so that N is block
// tridiagonal: D_b on the diagonal, X_b between group b and b + 1. With D_b - K_b = L
// L^T,
//   Y_b = L^-1 X_b,   K_{b+1} = Y_b^T Y_b   from the left, likewise from the right;
// what remains of group b is S_b = D_b - K_b(left) - K_b(right) = (C_bb)^-1.
#include "kernels/cpu/block_solve.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/shared/shortcut_bounds.hpp"

namespace specex {
namespace {

size_t at(int index) { return static_cast<size_t>(index); }

class Blocks {
 public:
  Blocks(const PatchShape &shape, const NormalEquations &normal)
      : shape_(shape), normal_(normal), fibers_(coupled_fibers()) {}

  int count() const { return (shape_.nfiber + fibers_ - 1) / fibers_; }
  int fibers() const { return fibers_; }
  int first(int block) const { return block * fibers_ * shape_.nbin; }  // unknown
  int size(int block) const {
    return std::min(fibers_, shape_.nfiber - block * fibers_) * shape_.nbin;
  }

  // Fills D_b and X_b (rows of group b, columns of the next one).
  void split(std::vector<Symmetric> &diagonal, std::vector<Matrix> &coupling) const {
    for (int b = 0; b < count(); ++b) {
      diagonal.emplace_back(size(b));
      if (b > 0) coupling.emplace_back(size(b - 1), size(b));
    }
    normal_.for_each_element(shape_, [&](int f, int w, int g, int v, double value) {
      const int a = f / fibers_;
      const int b = g / fibers_;
      const int i = f * shape_.nbin + w - first(a);
      const int j = g * shape_.nbin + v - first(b);
      if (a == b)
        diagonal[at(a)](i, j) = diagonal[at(a)](j, i) = value;
      else if (b == a + 1)
        coupling[at(a)](i, j) = value;
    });
  }

 private:
  int coupled_fibers() const {
    const auto diagonal = [&](int f, int w) {
      return normal_.sums.diagonal[at(f * shape_.nbin + w)];
    };
    int reach = 1;
    normal_.for_each_element(shape_, [&](int f, int w, int g, int v, double value) {
      if (g - f <= reach) return;
      const double scale = std::sqrt(diagonal(f, w) * diagonal(g, v));
      if (std::fabs(value) > max_far_coupling * scale) reach = g - f;
    });
    return reach;
  }

  const PatchShape &shape_;
  const NormalEquations &normal_;
  int fibers_;
};

// As LaneGroup::check_padding: an error r in the normal equations, at the cuts, is one of
// S^-1/2 r = Q S^-1 r in Q f. s: overwritten.
double effect_of_cuts(Symmetric s, const Symmetric &root, const double *flux,
                      const PatchShape &shape, int ncore, const Cuts &cuts) {
  std::vector<double> r(at(shape.nbin));
  for (int w = 0; w < std::min(cuts.reach, shape.nbin); ++w) {
    if (cuts.low) r[at(w)] = s(w, w) * std::fabs(flux[w]);
    const int last = shape.nbin - 1 - w;
    if (cuts.high) r[at(last)] = s(last, last) * std::fabs(flux[last]);
  }
  if (!cholesky(s)) return INFINITY;
  solve_lower(s, false, r.data());
  solve_lower(s, true, r.data());
  double largest = 0.0;
  for (int w = shape.core_bin; w < shape.core_bin + ncore; ++w) {
    double effect = 0.0;
    for (int v = 0; v < shape.nbin; ++v) effect += root(w, v) * r[at(v)];
    if (!(std::fabs(effect) <= largest)) largest = std::fabs(effect);
  }
  return largest;
}

}  // namespace

std::optional<Solution> block_solve(const specex_patch &patch,
                                    const NormalEquations &normal, const Cuts &cuts,
                                    double *cut_effect) {
  const PatchShape shape(patch);
  const Blocks blocks(shape, normal);
  const int count = blocks.count();
  std::vector<Symmetric> diagonal;
  std::vector<Matrix> coupling;
  blocks.split(diagonal, coupling);

  std::vector<Symmetric> marginal = diagonal;  // less what the neighbours take
  std::vector<Symmetric> factor = diagonal;    // L_b from the left
  std::vector<Matrix> y = coupling;
  for (int b = 0; b < count; ++b) {
    if (!cholesky(factor[at(b)])) return std::nullopt;
    if (b + 1 == count) break;
    solve_lower(factor[at(b)], y[at(b)]);
    subtract_gram(y[at(b)], factor[at(b + 1)]);
    subtract_gram(y[at(b)], marginal[at(b + 1)]);
  }
  Symmetric from_right = diagonal.back();
  for (int b = count - 1; b > 0; --b) {
    Matrix taken = transposed(coupling[at(b - 1)]);
    if (!cholesky(from_right)) return std::nullopt;
    solve_lower(from_right, taken);
    from_right = diagonal[at(b - 1)];
    subtract_gram(taken, from_right);
    subtract_gram(taken, marginal[at(b - 1)]);
  }

  Solution solution;
  solution.flux = normal.sums.data;
  double *flux = solution.flux.data();
  for (int b = 0; b < count; ++b) {
    if (b > 0)
      subtract_product(y[at(b - 1)], true, flux + blocks.first(b - 1),
                       flux + blocks.first(b));
    solve_lower(factor[at(b)], false, flux + blocks.first(b));
  }
  for (int b = count - 1; b >= 0; --b) {
    if (b + 1 < count)
      subtract_product(y[at(b)], false, flux + blocks.first(b + 1),
                       flux + blocks.first(b));
    solve_lower(factor[at(b)], true, flux + blocks.first(b));
  }

  for (int i = 0; i < patch.nfiber; ++i) {
    const int f = shape.core_fiber + i;
    const int b = f / blocks.fibers();
    Symmetric own = marginal[at(b)];
    if (own.n > shape.nbin) {  // the other fibres of the group are marginalised too
      if (!invert_by_cholesky(own)) return std::nullopt;
      own = diagonal_block(own, f * shape.nbin - blocks.first(b), shape.nbin);
      if (!invert_by_cholesky(own)) return std::nullopt;
    }
    const Symmetric root = graded_square_root(own);
    if (cut_effect != nullptr && (cuts.low || cuts.high))
      *cut_effect = std::max(
          *cut_effect, effect_of_cuts(own, root, solution.flux.data() + f * shape.nbin,
                                      shape, patch.nbin, cuts));
    solution.roots.push_back(fiber_root(root.elements.data(), shape.nbin, shape.nbin,
                                        shape.nbin, 0, patch.ndiag,
                                        solution.flux.data() + f * shape.nbin));
  }
  return solution;
}

}  // namespace specex
