// SPDX-License-Identifier: BSD-3-Clause
//
// Marginalisation of neighbouring fibres. N is block tridiagonal by fibres, D_f on its
// diagonal and X_f beside it; from the left
//   M_0 = D_0,   M_{f+1} = D_{f+1} - K_{f+1},   K_{f+1} = X_f^T M_f^-1 X_f,
// likewise from the right, and what remains for a fibre (Bolton & Schlegel 2010, sec. 3)
// is
//   S_f = D_f - K_f(left) - K_f(right) = (C_ff)^-1.
// Fibres are coupled so weakly that the recurrence is a fixed point iteration over all of
// them at once: with K(D) in place of K(M) the error is of the square of the coupling's
// share, and one more sweep squares it again. How much a sweep changes is checked.
#pragma once

#include <cmath>

#include "kernels/cuda/band_factor.hpp"

namespace specex::gpu {

// The coupling of a source fibre, which is marginalised, with its neighbour, the target:
// element (row of the source, column of the target).
struct Coupling {
  int direction;  // of the target: +1 or -1

  SPECEX_HOST_DEVICE int first_row(const Group &group, int column) const {
    return direction > 0 ? column - (group.first_lag + group.nlag - 1)
                         : column + group.first_lag;
  }
  // source: a problem
  SPECEX_HOST_DEVICE double element(const Group &group, int64_t source, int row,
                                    int column) const {
    return direction > 0
               ? group.cross[group.cross_at(row, column - row - group.first_lag, source)]
               : group.cross[group.cross_at(column, row - column - group.first_lag,
                                            source - 1)];
  }
  SPECEX_HOST_DEVICE bool has_target(const Group &group, int64_t source) const {
    const int target = group.fiber_of(source) + direction;
    return target >= 0 && target < group.nfiber;
  }
};

// Rows [first, end) of a column of L^-1 X that are kept.
struct ColumnRows {
  int lowest;
  int first;
  int end;

  SPECEX_HOST_DEVICE ColumnRows(const Group &group, const Coupling &x, int column)
      : lowest(x.first_row(group, column)),
        first(lowest > 0 ? lowest : 0),
        end(lowest + group.column_rows()) {
    if (end > group.nbin) end = group.nbin;
    if (end < first) end = first;
  }
};

// Columns of L^-1 X. Threads: columns x problems (the sources).
template <int Band>
struct CoupledColumns {
  Group group;
  Coupling x;
  const double *factor;

  SPECEX_HOST_DEVICE void operator()(int64_t i) const {
    const int64_t p = i % group.nproblem;
    const int column = static_cast<int>(i / group.nproblem);
    if (!x.has_target(group, p)) return;
    const ColumnRows rows(group, x, column);
    double before[Band + 1];
    for (int k = 0; k <= Band; ++k) before[k] = 0.0;
    for (int row = rows.first; row < rows.end; ++row) {
      double value =
          row < rows.lowest + group.nlag ? x.element(group, p, row, column) : 0.0;
      for (int k = Band; k >= 1; --k)
        if (row - k >= rows.first)
          value -= factor[group.band_at(row - k, k, p)] * before[k];
      group.columns[group.column_at(column, row - rows.lowest, p)] = value;
      for (int k = Band; k >= 2; --k) before[k] = before[k - 1];
      before[1] = value;
    }
  }
};

// K = X^T (L D L^T)^-1 X within the band, and what is left out of it, checked. Threads:
// columns x problems (the targets).
struct Marginalise {
  Group group;
  Coupling x;
  const double *factor;  // of the sources
  double *k;
  bool again;  // k holds what the sweep before made of it

  SPECEX_HOST_DEVICE void operator()(int64_t i) const {
    const int64_t target = i % group.nproblem;
    const int column = static_cast<int>(i / group.nproblem);
    const int64_t source = target - x.direction;
    const int source_fiber = group.fiber_of(target) - x.direction;
    const bool exists = source_fiber >= 0 && source_fiber < group.nfiber;
    const double diagonal = group.band[group.band_at(column, 0, target)];
    const ColumnRows rows(group, x, column);
    double beyond = 0.0;
    double change = 0.0;
    for (int m = 0; m <= group.half_band + 1; ++m) {
      double sum = 0.0;
      if (exists && column + m < group.nbin) {
        const ColumnRows others(group, x, column + m);
        const int first = rows.first > others.first ? rows.first : others.first;
        const int end = rows.end < others.end ? rows.end : others.end;
        for (int row = first; row < end; ++row)
          sum += kept(column, row, rows, source) * kept(column + m, row, others, source) *
                 factor[group.band_at(row, 0, source)];
      }
      if (m <= group.half_band) {
        double &element = k[group.band_at(column, m, target)];
        if (again) change = larger(change, std::fabs(sum - element) / diagonal);
        element = sum;
        if (m == 0 && exists)
          beyond =
              larger(beyond, cut_off(column, rows, source) / diagonal * sum / diagonal);
      } else if (column + m < group.nbin) {
        beyond = larger(
            beyond,
            sum * sum / (diagonal * group.band[group.band_at(column + m, 0, target)]));
      }
    }
    if (!(beyond <= max_truncation * max_truncation))
      group.mark(target, verdict_truncated);
    if (!(change <= max_sweep_change)) group.mark(target, verdict_coupled);
  }

 private:
  SPECEX_HOST_DEVICE static double larger(double a, double b) { return b <= a ? a : b; }

  SPECEX_HOST_DEVICE double kept(int column, int row, const ColumnRows &rows,
                                 int64_t source) const {
    return group.columns[group.column_at(column, row - rows.lowest, source)];
  }

  // The rows that are not kept: as large as the last two, at most, they meet the whole of
  // a neighbouring column.
  SPECEX_HOST_DEVICE double cut_off(int column, const ColumnRows &rows,
                                    int64_t source) const {
    double sum = 0.0;
    if (rows.end == group.nbin) return sum;
    for (int row = rows.end - 2 > rows.first ? rows.end - 2 : rows.first; row < rows.end;
         ++row) {
      const double u = kept(column, row, rows, source);
      sum += u * u * factor[group.band_at(row, 0, source)];
    }
    return sum;
  }
};

// reduced := band - a - b; b may be NULL. Threads: bins x (half_band + 1) x problems.
struct Reduce {
  Group group;
  const double *a;
  const double *b;

  SPECEX_HOST_DEVICE void operator()(int64_t i) const {
    group.reduced[i] = group.band[i] - a[i] - (b != nullptr ? b[i] : 0.0);
  }
};

}  // namespace specex::gpu
