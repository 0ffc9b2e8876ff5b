// SPDX-License-Identifier: BSD-3-Clause
//
// The _work variants of LAPACKE are used throughout: the others allocate and, when that
// fails, print.
#include "kernels/shared/dense_algebra.hpp"

#include <cblas.h>
#include <lapacke.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/error.hpp"

namespace specex {
namespace {

// Eigenvalues in ascending order; `vectors` holds A before, its eigenvectors after.
std::vector<double> eigenvectors(Symmetric &vectors) {
  const int n = vectors.n;
  std::vector<double> values(static_cast<size_t>(n));
  double work_size = 0.0;
  lapack_int iwork_size = 0;
  LAPACKE_dsyevd_work(LAPACK_COL_MAJOR, 'V', 'L', n, vectors.elements.data(), n,
                      values.data(), &work_size, -1, &iwork_size, -1);
  std::vector<double> work(static_cast<size_t>(work_size));
  std::vector<lapack_int> iwork(static_cast<size_t>(iwork_size));
  if (!all_finite(vectors.elements.data(), vectors.elements.size()))
    fail(SPECEX_ERROR_NUMERIC, "the normal matrix of a patch is not finite");
  const lapack_int info = LAPACKE_dsyevd_work(
      LAPACK_COL_MAJOR, 'V', 'L', n, vectors.elements.data(), n, values.data(),
      work.data(), static_cast<lapack_int>(work.size()), iwork.data(),
      static_cast<lapack_int>(iwork.size()));
  if (info != 0 || !all_finite(values.data(), values.size()) ||
      !all_finite(vectors.elements.data(), vectors.elements.size()))
    fail(SPECEX_ERROR_NUMERIC, "the eigenvectors of a patch's matrix did not converge");
  return values;
}

// V diag(values) V^T
Symmetric recompose(const Symmetric &vectors, const std::vector<double> &values) {
  const int n = vectors.n;
  Symmetric scaled(n);
  for (int j = 0; j < n; ++j)
    for (int i = 0; i < n; ++i)
      scaled(i, j) = vectors(i, j) * values[static_cast<size_t>(j)];
  Symmetric result(n);
  cblas_dgemm(CblasColMajor, CblasNoTrans, CblasTrans, n, n, n, 1.0,
              scaled.elements.data(), n, vectors.elements.data(), n, 0.0,
              result.elements.data(), n);
  return result;
}

}  // namespace

bool all_finite(const double *values, size_t count) {
  // An exponent of all ones carries into the sign's bit. Without a branch the loop is
  // taken several elements at a time.
  constexpr uint64_t exponent = uint64_t{0x7ff} << 52;
  constexpr uint64_t one = uint64_t{1} << 52;
  uint64_t carried = 0;
  for (size_t k = 0; k < count; ++k)
    carried |= (std::bit_cast<uint64_t>(values[k]) & exponent) + one;
  return carried >> 63 == 0;
}

Symmetric inverse_by_eigenvectors(const Symmetric &a) {
  const int n = a.n;
  std::vector<double> scale(static_cast<size_t>(n));
  for (int i = 0; i < n; ++i) scale[static_cast<size_t>(i)] = 1.0 / std::sqrt(a(i, i));
  const auto rescale = [&](Symmetric &matrix) {
    for (int j = 0; j < n; ++j)
      for (int i = 0; i < n; ++i)
        matrix(i, j) *= scale[static_cast<size_t>(i)] * scale[static_cast<size_t>(j)];
  };
  Symmetric vectors = a;
  rescale(vectors);
  std::vector<double> values = eigenvectors(vectors);
  const double floor = eigenvalue_floor * values.back();
  for (double &value : values) value = 1.0 / std::max(value, floor);
  Symmetric inverse = recompose(vectors, values);
  rescale(inverse);
  return inverse;
}

Symmetric square_root(const Symmetric &a) {
  Symmetric vectors = a;
  std::vector<double> values = eigenvectors(vectors);
  for (double &value : values) value = std::sqrt(std::max(value, 0.0));
  return recompose(vectors, values);
}

Symmetric graded_square_root(const Symmetric &a) {
  const int n = a.n;
  Symmetric vectors = a;
  if (!cholesky(vectors)) return square_root(a);
  for (int j = 1; j < n; ++j)
    for (int i = 0; i < j; ++i) vectors(i, j) = 0.0;
  std::vector<double> values(static_cast<size_t>(n));
  std::vector<double> work(static_cast<size_t>(std::max(6, 2 * n)));
  const lapack_int info = LAPACKE_dgesvj_work(
      LAPACK_COL_MAJOR, 'L', 'U', 'N', n, n, vectors.elements.data(), n, values.data(), 0,
      nullptr, 1, work.data(), static_cast<lapack_int>(work.size()));
  for (double &value : values) value *= work[0];
  if (info != 0 || !all_finite(values.data(), values.size()) ||
      !all_finite(vectors.elements.data(), vectors.elements.size()))
    return square_root(a);
  return recompose(vectors, values);
}

bool cholesky(Symmetric &a) {
  double *elements = a.elements.data();
  return all_finite(elements, a.elements.size()) &&
         LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'L', a.n, elements, a.n) == 0 &&
         all_finite(elements, a.elements.size());
}

bool invert_by_cholesky(Symmetric &a) {
  const int n = a.n;
  double *elements = a.elements.data();
  if (!cholesky(a)) return false;
  if (LAPACKE_dpotri_work(LAPACK_COL_MAJOR, 'L', n, elements, n) != 0) return false;
  for (int j = 0; j < n; ++j)
    for (int i = j + 1; i < n; ++i) a(j, i) = a(i, j);
  return all_finite(elements, a.elements.size());
}

Matrix transposed(Matrix a) {
  Matrix result(a.columns, a.rows);
  for (int j = 0; j < a.columns; ++j)
    for (int i = 0; i < a.rows; ++i) result(j, i) = a(i, j);
  return result;
}

Symmetric diagonal_block(const Symmetric &a, int first, int count) {
  Symmetric block(count);
  for (int j = 0; j < count; ++j)
    for (int i = 0; i < count; ++i) block(i, j) = a(first + i, first + j);
  return block;
}

void solve_lower(const Symmetric &l, Matrix &b) {
  cblas_dtrsm(CblasColMajor, CblasLeft, CblasLower, CblasNoTrans, CblasNonUnit, b.rows,
              b.columns, 1.0, l.elements.data(), l.n, b.elements.data(), b.rows);
}

void solve_lower(const Symmetric &l, bool transpose, double *b) {
  cblas_dtrsv(CblasColMajor, CblasLower, transpose ? CblasTrans : CblasNoTrans,
              CblasNonUnit, l.n, l.elements.data(), l.n, b, 1);
}

void subtract_gram(const Matrix &y, Symmetric &a) {
  cblas_dsyrk(CblasColMajor, CblasLower, CblasTrans, a.n, y.rows, -1.0, y.elements.data(),
              y.rows, 1.0, a.elements.data(), a.n);
  for (int j = 0; j < a.n; ++j)
    for (int i = j + 1; i < a.n; ++i) a(j, i) = a(i, j);
}

void subtract_product(const Matrix &y, bool transpose, const double *x, double *b) {
  cblas_dgemv(CblasColMajor, transpose ? CblasTrans : CblasNoTrans, y.rows, y.columns,
              -1.0, y.elements.data(), y.rows, x, 1, 1.0, b, 1);
}

}  // namespace specex
