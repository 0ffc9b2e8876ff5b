// SPDX-License-Identifier: BSD-3-Clause
//
// Dense and banded symmetric algebra; the only place that includes LAPACKE and CBLAS.
// Matrices are column-major and full unless said otherwise. The results are checked for
// finiteness here, because LAPACK's info is 0 even where a diagonal is NaN.
#pragma once

#include <cstddef>
#include <vector>

namespace specex {

// A square symmetric matrix.
struct Symmetric {
  int n = 0;
  std::vector<double> elements;  // [n][n]

  Symmetric() = default;
  explicit Symmetric(int size)
      : n(size), elements(static_cast<size_t>(size) * static_cast<size_t>(size)) {}
  double &operator()(int i, int j) {
    return elements[static_cast<size_t>(j) * static_cast<size_t>(n) +
                    static_cast<size_t>(i)];
  }
  double operator()(int i, int j) const {
    return elements[static_cast<size_t>(j) * static_cast<size_t>(n) +
                    static_cast<size_t>(i)];
  }
};

// Eigenvalues below this fraction of the largest are raised to it.
inline constexpr double eigenvalue_floor = 1e-14;

// A^-1 of a positive semidefinite matrix with a positive diagonal, by the eigenvectors of
// D^-1/2 A D^-1/2, D = diag(A): the scaling keeps rows of very different weight accurate.
// Throws NUMERIC when there is no finite answer.
Symmetric inverse_by_eigenvectors(const Symmetric &a);

// A^1/2, symmetric, by eigenvectors; negative eigenvalues are rounding and count as 0.
// Throws NUMERIC when there is no finite answer.
Symmetric square_root(const Symmetric &a);

// A^-1 by Cholesky, in place. False when A is not safely positive definite.
bool invert_by_cholesky(Symmetric &a);

// The Cholesky factor L of a band matrix, A = L L^T.
class BandCholesky {
 public:
  // lower: [n][half + 1], element (j, m) = A[j + m][j]; taken over and overwritten.
  // False from ok() when A is not safely positive definite.
  BandCholesky(int n, int half, std::vector<double> lower);

  bool ok() const { return ok_; }
  // x := A^-1 x
  void solve(double *x) const;
  // The block of A^-1 that belongs to rows and columns index[0..count).
  Symmetric inverse_block(const int *index, int count) const;

 private:
  int n_;
  int half_;
  bool ok_;
  std::vector<double> factor_;
};

bool all_finite(const double *values, size_t count);

}  // namespace specex
