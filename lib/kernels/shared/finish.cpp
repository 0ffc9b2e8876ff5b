// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/shared/finish.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"

namespace specex {
namespace {

size_t at(int index) { return static_cast<size_t>(index); }

// R's element (row, column) of a core fibre; rows outside the solved bins do not exist.
class Resolution {
 public:
  Resolution(const FiberRoot &root, const FiberRoot *even, int nbin, int ndiag)
      : root_(root), even_(even), nbin_(nbin), half_(ndiag / 2) {}

  void replace_row(int row) { replaced_.push_back(row); }

  double operator()(int diagonal, int column) const {
    const int row = column - half_ + diagonal;
    if (row < 0 || row >= nbin_) return 0.0;
    const bool replaced =
        std::binary_search(replaced_.begin(), replaced_.end(), row) && even_ != nullptr;
    const FiberRoot &root = replaced ? *even_ : root_;
    const double sum = root.row_sum[at(row)];
    return sum == 0.0 ? 0.0 : root.band[at(diagonal * nbin_ + column)] / sum;
  }

 private:
  const FiberRoot &root_;
  const FiberRoot *even_;
  int nbin_;
  int half_;
  std::vector<int> replaced_;  // ascending
};

bool finite(const Solution &solution) {
  const auto check = [](const std::vector<double> &values) {
    return all_finite(values.data(), values.size());
  };
  return check(solution.flux) &&
         std::all_of(
             solution.roots.begin(), solution.roots.end(), [&](const FiberRoot &root) {
               return check(root.row_sum) && check(root.smoothed) && check(root.band);
             });
}

}  // namespace

FiberRoot fiber_root(const double *rows, int nbin, int ncol, int ld, int own, int ndiag,
                     const double *f) {
  FiberRoot root{std::vector<double>(at(nbin)), std::vector<double>(at(nbin)),
                 std::vector<double>(at(ndiag * nbin))};
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
        root.band[at(k * nbin + w)] = rows[static_cast<ptrdiff_t>(own + w) * ld + row];
    }
  return root;
}

FiberRoot even_root(const Run &run, const specex_patch &patch, int fiber) {
  SpotTable spots;
  spots.evaluate(run.spots, run.psf, patch.wavemin, patch.wavestep, fiber, 1,
                 patch.pad_first_bin, patch.pad_nbin);
  const int nbin = patch.pad_nbin;
  const int first = patch.pad_first_bin;
  Symmetric normal(nbin);
  for (int i = 0; i < nbin; ++i)
    for (int j = 0; j <= i; ++j)
      normal(i, j) = normal(j, i) =
          overlap(spots.stamp(fiber, first + i), spots.stamp(fiber, first + j));
  for (int i = 0; i < nbin; ++i) normal(i, i) += relative_ridge;
  const Symmetric root = square_root(normal);
  const std::vector<double> zero(at(nbin), 0.0);
  return fiber_root(root.elements.data(), nbin, nbin, nbin, 0, patch.ndiag, zero.data());
}

void finish(const Run &run, const specex_patch &patch, const BinSums &sums,
            const std::vector<bool> &measured, const Solution &solution,
            specex_result &result) {
  if (!finite(solution))
    fail(SPECEX_ERROR_NUMERIC, "the solution of a patch is not finite");
  const PatchShape shape(patch);
  const double step = patch.wavestep;
  const int half = patch.ndiag / 2;
  for (int i = 0; i < patch.nfiber; ++i) {
    const int fiber = patch.first_fiber + i;
    const FiberRoot &root = solution.roots[at(i)];
    const int first_q = (shape.core_fiber + i) * shape.nbin;
    const auto has_data = [&](int w) {
      return measured[at(first_q + w)] && root.row_sum[at(w)] != 0.0;
    };
    // Rows of R that the core's columns show, as far as they exist.
    std::vector<int> replaced;
    for (int w = std::max(0, shape.core_bin - half);
         w < std::min(shape.nbin, shape.core_bin + patch.nbin + half); ++w)
      if (!has_data(w)) replaced.push_back(w);
    FiberRoot even;
    if (!replaced.empty()) even = even_root(run, patch, fiber);
    Resolution resolution(root, &even, shape.nbin, patch.ndiag);
    for (const int w : replaced) resolution.replace_row(w);

    const int32_t fiber_mask = run.psf.failed_fit[at(fiber)] ? SPECEX_MASK_BADFIBER : 0;
    for (int j = 0; j < patch.nbin; ++j) {
      const int w = shape.core_bin + j;
      const int q = first_q + w;
      const int out = i * patch.nbin + j;
      const double sum = root.row_sum[at(w)];
      const double flux = has_data(w) ? root.smoothed[at(w)] / sum / step : 0.0;
      const double ivar = has_data(w) ? sum * sum * step * step : 0.0;
      const bool usable = has_data(w) && std::isfinite(flux) && std::isfinite(ivar);
      if (result.flux != nullptr) result.flux[out] = usable ? flux : 0.0;
      if (result.ivar != nullptr) result.ivar[out] = usable ? ivar : 0.0;
      if (result.pixmask_fraction != nullptr)
        result.pixmask_fraction[out] = sums.masked[at(q)];
      if (result.mask != nullptr)
        result.mask[out] = fiber_mask | bin_mask(run.rules, usable, sums.usable[at(q)],
                                                 sums.masked[at(q)]);
      if (result.resolution != nullptr)
        for (int k = 0; k < patch.ndiag; ++k)
          result.resolution[(i * patch.ndiag + k) * patch.nbin + j] = resolution(k, w);
    }
  }
}

void finish_unsolved(const Run &run, const specex_patch &patch, specex_status status,
                     specex_result &result) {
  result.status = status;
  result.path = SPECEX_PATH_NONE;
  const auto count = static_cast<size_t>(patch.nfiber) * static_cast<size_t>(patch.nbin);
  // gpu_specter leaves 0 everywhere; the corrected mode says that no pixel was usable.
  const double fraction = run.rules.compat ? 0.0 : 1.0;
  if (result.flux != nullptr) std::fill_n(result.flux, count, 0.0);
  if (result.ivar != nullptr) std::fill_n(result.ivar, count, 0.0);
  if (result.chi2pix != nullptr) std::fill_n(result.chi2pix, count, 0.0);
  if (result.pixmask_fraction != nullptr)
    std::fill_n(result.pixmask_fraction, count, fraction);
  if (result.model != nullptr)
    std::fill_n(result.model,
                static_cast<size_t>(patch.ymax - patch.ymin) *
                    static_cast<size_t>(patch.xmax - patch.xmin),
                0.0);
  for (int i = 0; i < patch.nfiber; ++i) {
    const int fiber = patch.first_fiber + i;
    const int32_t fiber_mask = run.psf.failed_fit[at(fiber)] ? SPECEX_MASK_BADFIBER : 0;
    if (result.mask != nullptr)
      std::fill_n(result.mask + i * patch.nbin, patch.nbin,
                  fiber_mask | bin_mask(run.rules, false, 0.0, fraction));
    if (result.resolution == nullptr) continue;
    double *resolution = result.resolution + i * patch.ndiag * patch.nbin;
    std::fill_n(resolution, patch.ndiag * patch.nbin, 0.0);
    if (run.rules.compat) continue;
    const FiberRoot even = even_root(run, patch, fiber);
    const Resolution rows(even, nullptr, patch.pad_nbin, patch.ndiag);
    const int core_bin = patch.first_bin - patch.pad_first_bin;
    for (int k = 0; k < patch.ndiag; ++k)
      for (int j = 0; j < patch.nbin; ++j)
        resolution[k * patch.nbin + j] = rows(k, core_bin + j);
  }
}

std::vector<double> model_flux(const Rules &rules, const PatchShape &shape,
                               const specex_patch &patch, const Solution &solution) {
  std::vector<double> flux(at(patch.nfiber * patch.nbin), 0.0);
  // The compatible mode fills the last patch beyond the grid's end, as the peer does.
  const int nbin = rules.compat ? patch.nbin : patch.nkeep;
  for (int i = 0; i < patch.nfiber; ++i) {
    const FiberRoot &root = solution.roots[at(i)];
    for (int j = 0; j < nbin; ++j) {
      const int w = shape.core_bin + j;
      if (!rules.compat)
        flux[at(i * patch.nbin + j)] =
            solution.flux[at((shape.core_fiber + i) * shape.nbin + w)];
      else if (root.row_sum[at(w)] != 0.0)
        flux[at(i * patch.nbin + j)] = root.smoothed[at(w)] / root.row_sum[at(w)];
    }
  }
  return flux;
}

}  // namespace specex
