// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/shared/finish.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"

namespace specex {
namespace {

size_t at(int index) { return static_cast<size_t>(index); }

void require_finite(const double *values, size_t count) {
  if (!all_finite(values, count))
    fail(SPECEX_ERROR_NUMERIC, "the solution of a patch is not finite");
}
void require_finite(const std::vector<double> &values) {
  require_finite(values.data(), values.size());
}

}  // namespace

FiberRoot fiber_root(const double *rows, int nbin, int ncol, int ld, int own, int ndiag,
                     const double *f) {
  FiberRoot root;
  root.clear(nbin, ndiag);
  for (int column = 0; column < ncol; ++column) {
    const double *q = rows + static_cast<ptrdiff_t>(column) * ld;
    for (int row = 0; row < nbin; ++row) {
      root.row_sum[at(row)] += q[row];
      root.smoothed[at(row)] += q[row] * f[column];
    }
  }
  for (int k = 0; k < ndiag; ++k)
    for (int w = 0; w < nbin; ++w) {
      const int row = w - ndiag / 2 + k;
      if (row >= 0 && row < nbin)
        root.band[at(k) * at(nbin) + at(w)] =
            rows[static_cast<ptrdiff_t>(own + w) * ld + row];
    }
  return root;
}

namespace {

// Rows of R for evenly weighted pixels of the fibre alone: [rows][ndiag], element k of
// row r belongs to column r + ndiag / 2 - k. Where a core fibre has bins without data
// they keep the convolution of a model with R defined. Rows are taken from roots of up to
// even_block bins at a time and as many around them as their profile reaches.
std::vector<double> even_rows(const Run &run, const specex_patch &patch, int fiber,
                              const std::vector<int> &rows) {
  constexpr int even_block = 64;
  const int margin = 4 * patch.ndiag;
  const int half = patch.ndiag / 2;
  std::vector<double> result;
  for (size_t k = 0; k < rows.size();) {
    const size_t begin = k;
    while (k < rows.size() && rows[k] < rows[begin] + even_block) ++k;
    const int first = std::max(0, rows[begin] - margin);
    const int nbin = std::min(patch.pad_nbin, rows[k - 1] + 1 + margin) - first;
    SpotTable spots;
    spots.evaluate(run.spots, run.psf, patch.wavemin, patch.wavestep, fiber, 1,
                   patch.pad_first_bin + first, nbin);
    const auto stamp = [&](int i) {
      return spots.stamp(fiber, patch.pad_first_bin + first + i);
    };
    Symmetric normal(nbin);
    for (int i = 0; i < nbin; ++i) {
      for (int j = 0; j <= i; ++j)
        normal(i, j) = normal(j, i) = overlap(stamp(i), stamp(j));
      normal(i, i) += relative_ridge;
    }
    const Symmetric root = square_root(normal);
    for (size_t r = begin; r < k; ++r) {
      const int row = rows[r] - first;
      double sum = 0.0;
      for (int j = 0; j < nbin; ++j) sum += root(row, j);
      for (int d = 0; d < patch.ndiag; ++d) {
        const int column = row + half - d;
        const bool inside = column >= 0 && column < nbin && sum != 0.0;
        result.push_back(inside ? root(row, column) / sum : 0.0);
      }
    }
  }
  return result;
}

// Writes R of a core fibre: rows of `root`, and even ones where those have no data. Rows
// outside the solved bins do not exist.
void write_resolution(const Run &run, const specex_patch &patch, int i,
                      const FiberRoot *root, const std::vector<bool> &has_data,
                      const PatchOutput &output) {
  const PatchShape shape(patch);
  const int half = patch.ndiag / 2;
  std::vector<double> inverse(at(shape.nbin + 2 * half));  // of the row sums
  std::vector<int> empty;
  for (int w = std::max(0, shape.core_bin + output.first_bin - half);
       w < std::min(shape.nbin, shape.core_bin + output.end_bin + half); ++w) {
    if (!has_data[at(w)])
      empty.push_back(w);
    else if (root != nullptr)
      inverse[at(half + w)] = 1.0 / root->row_sum[at(w)];
  }
  for (int k = 0; k < patch.ndiag; ++k) {
    double *out = output.resolution + output.at(i, k, output.first_bin);
    const int w = shape.core_bin + output.first_bin;
    const int count = output.end_bin - output.first_bin;
    if (root == nullptr) {
      std::fill_n(out, count, 0.0);
      continue;
    }
    const double *band = root->band.data() + at(k) * at(shape.nbin) + at(w);
    const double *of_row = inverse.data() + at(w + k);
    for (int j = 0; j < count; ++j) out[j] = band[j] * of_row[j];
    require_finite(out, at(count));
  }
  if (empty.empty()) return;
  const std::vector<double> even = even_rows(run, patch, patch.first_fiber + i, empty);
  for (size_t r = 0; r < empty.size(); ++r)
    for (int k = 0; k < patch.ndiag; ++k) {
      const int j = empty[r] + half - k - shape.core_bin;
      if (j >= output.first_bin && j < output.end_bin)
        output.resolution[output.at(i, k, j)] = even[r * at(patch.ndiag) + at(k)];
    }
}

}  // namespace

void finish(const Run &run, const specex_patch &patch, const BinSums &sums,
            const std::vector<bool> &measured, const Solution &solution,
            PatchOutput &output) {
  require_finite(solution.flux);
  const PatchShape shape(patch);
  std::vector<bool> has_data(at(shape.nbin));
  for (int i = output.first_fiber; i < output.end_fiber; ++i) {
    const FiberRoot &root = solution.roots[at(i)];
    require_finite(root.row_sum);
    require_finite(root.smoothed);
    const int first_q = (shape.core_fiber + i) * shape.nbin;
    for (int w = 0; w < shape.nbin; ++w)
      has_data[at(w)] = measured[at(first_q + w)] && root.row_sum[at(w)] != 0.0;
    const int32_t fiber_mask =
        run.psf.failed_fit[at(patch.first_fiber + i)] ? SPECEX_MASK_BADFIBER : 0;
    for (int j = output.first_bin; j < output.end_bin; ++j) {
      const int w = shape.core_bin + j;
      const int q = first_q + w;
      const size_t out = output.at(i, j);
      const Measurement bin = measure(has_data[at(w)], root.row_sum[at(w)],
                                      root.smoothed[at(w)], patch.wavestep);
      if (output.flux != nullptr) output.flux[out] = bin.flux;
      if (output.ivar != nullptr) output.ivar[out] = bin.ivar;
      if (output.pixmask_fraction != nullptr)
        output.pixmask_fraction[out] = sums.masked[at(q)];
      if (output.mask != nullptr)
        output.mask[out] = fiber_mask | bin_mask(run.rules, bin.usable,
                                                 sums.usable[at(q)], sums.masked[at(q)]);
    }
    if (output.resolution != nullptr)
      write_resolution(run, patch, i, &root, has_data, output);
  }
}

void finish_unsolved(const Run &run, const specex_patch &patch, specex_status status,
                     PatchOutput &output) {
  output.status = status;
  output.path = SPECEX_PATH_NONE;
  // gpu_specter leaves 0 everywhere; the corrected mode says that no pixel was usable,
  // and R is that of evenly weighted pixels.
  const double fraction = run.rules.compat ? 0.0 : 1.0;
  const std::vector<bool> has_data(at(patch.pad_nbin), run.rules.compat);
  const int count = output.end_bin - output.first_bin;
  for (int i = output.first_fiber; i < output.end_fiber; ++i) {
    const size_t out = output.at(i, output.first_bin);
    const auto fill = [&](auto *array, auto value) {
      if (array != nullptr) std::fill_n(array + out, count, value);
    };
    fill(output.flux, 0.0);
    fill(output.ivar, 0.0);
    fill(output.chi2pix, 0.0);
    fill(output.pixmask_fraction, fraction);
    const int32_t fiber_mask =
        run.psf.failed_fit[at(patch.first_fiber + i)] ? SPECEX_MASK_BADFIBER : 0;
    fill(output.mask, fiber_mask | bin_mask(run.rules, false, 0.0, fraction));
    if (output.resolution != nullptr)
      write_resolution(run, patch, i, nullptr, has_data, output);
  }
}

std::vector<double> model_flux(const Rules &rules, const PatchShape &shape,
                               const specex_patch &patch, const Solution &solution) {
  std::vector<double> flux(at(patch.nfiber * patch.nbin), 0.0);
  const int nbin = model_bins(rules, patch);
  for (int i = 0; i < patch.nfiber; ++i) {
    const FiberRoot &root = solution.roots[at(i)];
    for (int j = 0; j < nbin; ++j) {
      const int w = shape.core_bin + j;
      flux[at(i * patch.nbin + j)] = bin_model_flux(
          rules, solution.flux[at((shape.core_fiber + i) * shape.nbin + w)],
          root.row_sum[at(w)], root.smoothed[at(w)]);
    }
  }
  return flux;
}

}  // namespace specex
