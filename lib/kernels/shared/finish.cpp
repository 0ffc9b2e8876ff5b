// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/shared/finish.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/error.hpp"

namespace specex {
namespace {

// Not of bool, whose elements are bits that must be picked one by one.
using Flags = std::vector<uint8_t>;

size_t at(int index) { return static_cast<size_t>(index); }

[[noreturn]] void fail_not_finite() {
  fail(SPECEX_ERROR_NUMERIC, "the solution of a patch is not finite");
}

void require_finite(const std::vector<double> &values) {
  if (!all_finite(values.data(), values.size())) fail_not_finite();
}

}  // namespace

FiberRoot fiber_root(const double *rows, int nbin, int ncol, int ld, int own, int ndiag,
                     const double *f) {
  FiberRoot root;
  root.resize(nbin, ndiag);
  for (int column = 0; column < ncol; ++column) {
    const double *q = rows + static_cast<ptrdiff_t>(column) * ld;
    for (int row = 0; row < nbin; ++row) {
      root.row_sum[at(row)] += q[row];
      root.smoothed[at(row)] += q[row] * f[column];
    }
  }
  for (int m = 0; m <= ndiag / 2; ++m)
    for (int w = 0; w + m < nbin; ++w)
      root.band[at(m) * at(nbin) + at(w)] =
          rows[static_cast<ptrdiff_t>(own + w) * ld + w + m];
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

// out = a * b; false where a product is not finite: an exponent of all ones carries into
// the sign's bit. Without a branch, several elements at a time.
bool multiply(const double *a, const double *b, int count, double *out) {
  constexpr uint64_t exponent = uint64_t{0x7ff} << 52;
  constexpr uint64_t one = uint64_t{1} << 52;
  uint64_t carried = 0;
  for (int k = 0; k < count; ++k) {
    const double product = a[k] * b[k];
    out[k] = product;
    carried |= (std::bit_cast<uint64_t>(product) & exponent) + one;
  }
  return carried >> 63 == 0;
}

// Writes R of a core fibre: rows of `root`, and even ones where those have no data. Rows
// outside the solved bins do not exist.
void write_resolution(const Run &run, const specex_patch &patch, int i,
                      const FiberRoot *root, const Flags &has_data,
                      const PatchOutput &output) {
  const PatchShape shape(patch);
  const int half = patch.ndiag / 2;
  std::vector<double> inverse(at(shape.nbin + half));  // of the row sums
  std::vector<int> empty;
  for (int w = std::max(0, shape.core_bin + output.first_bin - half);
       w < std::min(shape.nbin, shape.core_bin + output.end_bin + half); ++w) {
    if (has_data[at(w)] == 0)
      empty.push_back(w);
    else if (root != nullptr)
      inverse[at(w)] = 1.0 / root->row_sum[at(w)];
  }
  const int w = shape.core_bin + output.first_bin;
  const int count = output.end_bin - output.first_bin;
  const auto diagonal = [&](int k) {
    return output.resolution + output.at(i, k, output.first_bin);
  };
  if (root == nullptr) {
    for (int k = 0; k < patch.ndiag; ++k) std::fill_n(diagonal(k), count, 0.0);
  } else {
    bool finite = true;
    for (int m = 0; m <= half; ++m) {
      // Of column w: Q[w + m][w] and Q[w - m][w], by the sums of their rows.
      const double *q = root->band.data() + at(m) * at(shape.nbin);
      finite &= multiply(q + w, inverse.data() + w + m, count, diagonal(half + m));
      if (m == 0) continue;
      double *above = diagonal(half - m);
      const int outside = std::clamp(m - w, 0, count);
      std::fill_n(above, outside, 0.0);
      const int row = w - m + outside;
      finite &= multiply(q + row, inverse.data() + row, count - outside, above + outside);
    }
    if (!finite) fail_not_finite();
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

namespace {

// Inlined, because compilers leave out calls of functions that do nothing else.
template <class T>
[[gnu::always_inline]] inline void prefetch(const T *array, ptrdiff_t count) {
  constexpr ptrdiff_t line = 64;
  if (array == nullptr) return;
  const auto *bytes = reinterpret_cast<const char *>(array);
  for (ptrdiff_t k = 0; k < count * static_cast<ptrdiff_t>(sizeof(T)) + line; k += line)
    __builtin_prefetch(bytes + k, 1);
}

// Fibres lie far from each other in memory, where no processor foresees the next.
[[gnu::always_inline]] inline void prefetch_fiber(const FiberRoot &root,
                                                  const PatchOutput &output, int i) {
  for (const std::vector<double> *values : {&root.row_sum, &root.smoothed, &root.band})
    prefetch(values->data(), static_cast<ptrdiff_t>(values->size()));
  const ptrdiff_t count = output.end_bin - output.first_bin;
  const auto of_bins = [&](auto *array) {
    if (array != nullptr) prefetch(array + output.at(i, output.first_bin), count);
  };
  of_bins(output.flux);
  of_bins(output.ivar);
  of_bins(output.pixmask_fraction);
  of_bins(output.mask);
  for (int k = 0; output.resolution != nullptr && k < output.ndiag; ++k)
    prefetch(output.resolution + output.at(i, k, output.first_bin), count);
}

}  // namespace

void finish(const Run &run, const specex_patch &patch, const BinSums &sums,
            const std::vector<bool> &measured, const Solution &solution,
            PatchOutput &output) {
  require_finite(solution.flux);
  const PatchShape shape(patch);
  const int count = output.end_bin - output.first_bin;
  Flags has_data(at(shape.nbin));
  Flags usable(at(count));
  std::vector<double> unwanted(at(count));
  for (int i = output.first_fiber; i < output.end_fiber; ++i) {
    const FiberRoot &root = solution.roots[at(i)];
    if (i + 1 < output.end_fiber)
      prefetch_fiber(solution.roots[at(i + 1)], output, i + 1);
    require_finite(root.row_sum);
    require_finite(root.smoothed);
    const int first_q = (shape.core_fiber + i) * shape.nbin;
    for (int w = 0; w < shape.nbin; ++w)
      has_data[at(w)] = measured[at(first_q + w)] && root.row_sum[at(w)] != 0.0 ? 1 : 0;
    const int first_bin = shape.core_bin + output.first_bin;
    const size_t out = output.at(i, output.first_bin);
    double *flux = output.flux != nullptr ? output.flux + out : unwanted.data();
    double *ivar = output.ivar != nullptr ? output.ivar + out : unwanted.data();
    for (int j = 0; j < count; ++j) {
      const auto w = at(first_bin + j);
      const Measurement bin =
          measure(has_data[w] != 0, root.row_sum[w], root.smoothed[w], patch.wavestep);
      flux[j] = bin.flux;
      ivar[j] = bin.ivar;
      usable[at(j)] = bin.usable ? 1 : 0;
    }
    const double *profile = &sums.usable[at(first_q + first_bin)];
    const double *masked = &sums.masked[at(first_q + first_bin)];
    if (output.pixmask_fraction != nullptr)
      std::copy_n(masked, count, output.pixmask_fraction + out);
    const int32_t fiber_mask =
        run.psf.failed_fit[at(patch.first_fiber + i)] ? SPECEX_MASK_BADFIBER : 0;
    for (int j = 0; output.mask != nullptr && j < count; ++j)
      output.mask[out + at(j)] =
          fiber_mask | bin_mask(run.rules, usable[at(j)] != 0, profile[j], masked[j]);
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
  const Flags has_data(at(patch.pad_nbin), run.rules.compat ? 1 : 0);
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
