// SPDX-License-Identifier: BSD-3-Clause
#include "model/frame.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "base/deal.hpp"
#include "base/error.hpp"
#include "model/grid.hpp"

namespace specex {
namespace {

// Their products, with each other and with 8 bytes, stay far from overflow.
constexpr int64_t max_fibers = 1 << 20;
constexpr int64_t max_bins = 1 << 22;
constexpr int64_t max_diagonals = 1 << 10;
constexpr int64_t max_pixels = 1 << 24;  // along an axis of the model image
constexpr double bad_fit_factor = 5.0;

constexpr size_t part_to_fill = size_t{1} << 18;

// By memset, which does not read what it is going to write.
void clear(double *array, int64_t count, int threads) {
  if (array != nullptr)
    deal_parts(threads, static_cast<size_t>(count), part_to_fill,
               [&](size_t begin, size_t end) {
                 std::memset(array + begin, 0, (end - begin) * sizeof(double));
               });
}

// Leaves of many values those between two of a sample, if the middle ones are among them;
// without a branch, which takes a fraction of the time that sorting does. Returns how
// many smaller ones are gone.
size_t drop_outer(std::vector<double> &values) {
  constexpr size_t samples = 64;
  const size_t count = values.size();
  if (count < 4 * samples) return 0;
  std::array<double, samples> sample;
  for (size_t k = 0; k < samples; ++k) sample[k] = values[k * count / samples];
  std::sort(sample.begin(), sample.end());
  const double low = sample[samples * 3 / 8];
  const double high = sample[samples * 5 / 8];
  size_t below = 0;
  size_t above = 0;
  for (const double value : values) {
    below += static_cast<size_t>(value < low);
    above += static_cast<size_t>(value > high);
  }
  if (below >= count / 2 || count / 2 >= count - above) return 0;
  size_t kept = 0;  // never beyond what is read
  for (const double value : values) {
    values[kept] = value;
    kept += static_cast<size_t>(value >= low) & static_cast<size_t>(value <= high);
  }
  values.resize(kept);
  return below;
}

double median(std::vector<double> &values) {
  const size_t count = values.size();
  const size_t gone = drop_outer(values);
  const auto middle = values.begin() + static_cast<ptrdiff_t>(count / 2 - gone);
  std::nth_element(values.begin(), middle, values.end());
  if (count % 2 != 0) return *middle;
  return 0.5 * (*middle + *std::max_element(values.begin(), middle));
}

void add_model(const specex_patch &patch, const double *model, specex_frame &frame) {
  const int64_t width = patch.xmax - patch.xmin;
  const int64_t xlow = std::max<int64_t>(0, patch.xmin);
  const int64_t xhigh = std::min<int64_t>(frame.model_nx, patch.xmax);
  const int64_t yhigh = std::min<int64_t>(frame.model_ny, patch.ymax);
  for (int64_t y = std::max<int64_t>(0, patch.ymin); y < yhigh; ++y)
    for (int64_t x = xlow; x < xhigh; ++x)
      frame.model[y * frame.model_nx + x] +=
          model[(y - patch.ymin) * width + (x - patch.xmin)];
}

}  // namespace

void check_frame(const specex_frame &frame) {
  const auto check = [](const char *name, int64_t value, int64_t low, int64_t high) {
    if (value < low || value > high)
      fail(SPECEX_ERROR_ARGUMENT, "frame.%s is %lld", name,
           static_cast<long long>(value));
  };
  check("nspec", frame.nspec, 1, max_fibers);
  check("nwave", frame.nwave, 1, max_bins);
  check("first_fiber", frame.first_fiber, 0, max_fibers);
  check("ndiag", frame.ndiag, frame.resolution != nullptr ? 1 : 0, max_diagonals);
  check("model_nx", frame.model_nx, frame.model != nullptr ? 1 : 0, max_pixels);
  check("model_ny", frame.model_ny, frame.model != nullptr ? 1 : 0, max_pixels);
}

void clear_frame(specex_frame &frame, int threads) {
  const int64_t bins = frame.nspec * frame.nwave;
  clear(frame.flux, bins, threads);
  clear(frame.ivar, bins, threads);
  clear(frame.chi2pix, bins, threads);
  clear(frame.pixmask_fraction, bins, threads);
  clear(frame.resolution, bins * frame.ndiag, threads);
  if (frame.mask != nullptr) std::fill_n(frame.mask, bins, SPECEX_MASK_NODATA);
  clear_sums(frame, threads);
}

void clear_sums(specex_frame &frame, int threads) {
  clear(frame.model, frame.model_nx * frame.model_ny, threads);
  clear_counts(frame);
}

void clear_counts(specex_frame &frame) {
  frame.npatch = frame.npatch_failed = frame.nbadpixel = 0;
  frame.npath_dense = frame.npath_banded = frame.npath_vector = 0;
}

void place_patch(const specex_patch &patch, const specex_result &result,
                 specex_frame &frame) {
  const int first = std::max(patch.first_fiber, frame.first_fiber);
  const int end =
      std::min(patch.first_fiber + patch.nfiber, frame.first_fiber + frame.nspec);
  const int64_t first_bin = std::max<int64_t>(patch.first_bin, 0);
  const int64_t end_bin = std::min<int64_t>(patch.first_bin + patch.nkeep, frame.nwave);
  const int64_t count = std::max<int64_t>(0, end_bin - first_bin);
  for (int fiber = first; fiber < end; ++fiber) {
    const int64_t from =
        int64_t{fiber - patch.first_fiber} * patch.nbin + (first_bin - patch.first_bin);
    const int64_t to = (fiber - frame.first_fiber) * frame.nwave + first_bin;
    const auto copy = [&](const auto *source, auto *target) {
      if (source != nullptr && target != nullptr)
        std::copy_n(source + from, count, target + to);
    };
    copy(result.flux, frame.flux);
    copy(result.ivar, frame.ivar);
    copy(result.chi2pix, frame.chi2pix);
    copy(result.pixmask_fraction, frame.pixmask_fraction);
    copy(result.mask, frame.mask);
    if (result.resolution == nullptr || frame.resolution == nullptr) continue;
    for (int64_t k = 0; k < frame.ndiag; ++k)
      std::copy_n(
          result.resolution +
              (int64_t{fiber - patch.first_fiber} * frame.ndiag + k) * patch.nbin +
              (first_bin - patch.first_bin),
          count,
          frame.resolution +
              ((fiber - frame.first_fiber) * frame.ndiag + k) * frame.nwave + first_bin);
  }
  if (result.model != nullptr && frame.model != nullptr)
    add_model(patch, result.model, frame);
  count_patch(result.status, result.path, frame);
}

void count_patch(specex_status status, int32_t path, specex_frame &frame) {
  frame.npatch += 1;
  frame.npatch_failed += status != SPECEX_OK ? 1 : 0;
  frame.npath_dense += path == SPECEX_PATH_DENSE ? 1 : 0;
  frame.npath_banded += path == SPECEX_PATH_BANDED ? 1 : 0;
  frame.npath_vector += path == SPECEX_PATH_VECTOR ? 1 : 0;
}

size_t model_size(const specex_patch &patch) {
  return static_cast<size_t>(patch.xmax - patch.xmin) *
         static_cast<size_t>(patch.ymax - patch.ymin);
}

void flag_bad_fits(specex_frame &frame, int threads) {
  if (frame.chi2pix == nullptr || frame.mask == nullptr) return;
  constexpr size_t part = 64;
  const auto nspec = static_cast<size_t>(frame.nspec);
  const auto nwave = static_cast<size_t>(frame.nwave);
  std::vector<double> limit(nspec);  // of each fibre
  deal_parts(threads, nspec, part, [&](size_t begin, size_t end) {
    std::vector<double> values;
    for (size_t i = begin; i < end; ++i) {
      values.assign(frame.chi2pix + i * nwave, frame.chi2pix + (i + 1) * nwave);
      limit[i] = bad_fit_factor * median(values);
    }
  });
  deal_parts(threads, nwave, part, [&](size_t begin, size_t end) {
    std::vector<std::vector<size_t>> suspects(end - begin);  // fibres, by bin
    for (size_t i = 0; i < nspec; ++i) {
      const double *chi2pix = frame.chi2pix + i * nwave;
      int any = 0;  // without a branch: several at a time
      for (size_t w = begin; w < end; ++w) any |= int{chi2pix[w] > limit[i]};
      if (any == 0) continue;
      for (size_t w = begin; w < end; ++w)
        if (chi2pix[w] > limit[i]) suspects[w - begin].push_back(i);
    }
    std::vector<double> values(nspec);
    for (size_t w = begin; w < end; ++w) {
      if (suspects[w - begin].empty()) continue;
      for (size_t i = 0; i < nspec; ++i) values[i] = frame.chi2pix[i * nwave + w];
      const double limit_of_bin = bad_fit_factor * median(values);
      for (const size_t i : suspects[w - begin])
        if (frame.chi2pix[i * nwave + w] > limit_of_bin)
          frame.mask[i * nwave + w] |= SPECEX_MASK_BAD2DFIT;
    }
  });
}

}  // namespace specex
