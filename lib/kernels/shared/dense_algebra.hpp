// SPDX-License-Identifier: BSD-3-Clause
//
// Dense algebra; the only place that includes LAPACKE and CBLAS.
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
// The same where rows differ by orders of magnitude and small ones count as much: by
// Jacobi's method on the Cholesky factor (Demmel & Veselic 1992, SIAM J. Matrix Anal.
// Appl. 13, 1204), which is slower. By eigenvectors where there is none.
Symmetric graded_square_root(const Symmetric &a);

// A^-1 by Cholesky, in place. False when A is not safely positive definite.
bool invert_by_cholesky(Symmetric &a);

// A general matrix.
struct Matrix {
  int rows = 0;
  int columns = 0;
  std::vector<double> elements;  // [columns][rows]

  Matrix(int nrow, int ncol)
      : rows(nrow),
        columns(ncol),
        elements(static_cast<size_t>(nrow) * static_cast<size_t>(ncol)) {}
  double &operator()(int i, int j) {
    return elements[static_cast<size_t>(j) * static_cast<size_t>(rows) +
                    static_cast<size_t>(i)];
  }
};
Matrix transposed(Matrix a);

// Rows and columns [first, first + count).
Symmetric diagonal_block(const Symmetric &a, int first, int count);

// Replaces A by L, A = L L^T (its upper triangle is left as it was). False when A is not
// safely positive definite.
bool cholesky(Symmetric &a);

// b := L^-1 b, or L^-T b
void solve_lower(const Symmetric &l, Matrix &b);
void solve_lower(const Symmetric &l, bool transpose, double *b);

// a -= y^T y
void subtract_gram(const Matrix &y, Symmetric &a);

// b -= y x, or y^T x
void subtract_product(const Matrix &y, bool transpose, const double *x, double *b);

bool all_finite(const double *values, size_t count);

}  // namespace specex
