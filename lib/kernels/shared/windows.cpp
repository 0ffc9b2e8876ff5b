// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/shared/windows.hpp"

#include <algorithm>
#include <cmath>

#include "model/grid.hpp"

namespace specex {
namespace {

constexpr int longest_whole = 192;   // bins of a patch that is solved in one lane
constexpr int bins_of_group = 2400;  // that 8 windows cover, about
constexpr int shortest_core = 48;    // of a patch that is solved alone
constexpr double decay_spots = 6.0;  // heights of a spot

// bins: of the grid, those that the part answers for, and all that are solved.
specex_patch part_of(const specex_patch &patch, int first, int end, int pad_first,
                     int pad_end) {
  specex_patch part = patch;
  part.first_bin = first;
  part.nbin = end - first;
  part.nkeep = std::clamp(patch.first_bin + patch.nkeep - first, 0, part.nbin);
  part.pad_first_bin = pad_first;
  part.pad_nbin = pad_end - pad_first;
  return part;
}

}  // namespace

int window_padding(const Psf &psf, const specex_patch &patch) {
  const int fiber = patch.pad_first_fiber + patch.pad_nfiber / 2;
  const double low = psf.ytrace.at(fiber, wavelength(patch, patch.pad_first_bin));
  const double high =
      psf.ytrace.at(fiber, wavelength(patch, patch.pad_first_bin + patch.pad_nbin));
  const double rows = std::fmax(std::fabs(high - low) / patch.pad_nbin, 0.1);
  const double bins = std::ceil(decay_spots * std::ceil(psf.spot_ny() / rows));
  return static_cast<int>(std::clamp(bins, decay_spots, decay_spots + patch.pad_nbin));
}

void cut_into_windows(const Rules &rules, const Psf &psf, size_t index,
                      const specex_patch &patch, std::vector<Window> &windows) {
  if (patch.pad_nbin <= longest_whole || rules.compat || rules.noise) {
    windows.push_back({index, patch, true, false, false});
    return;
  }
  const int pad = window_padding(psf, patch);
  const int total = patch.pad_nbin;
  const int count =
      windows_of_group * std::max(1, (total + bins_of_group / 2) / bins_of_group);
  const int steps = std::max(1, count - 1);  // from window to window
  const int length = static_cast<int>(
      std::min<int64_t>(total, (total + int64_t{2} * pad * steps) / count + 1));
  const auto start = [&](int k) {
    return static_cast<int>(int64_t{k} * (total - length) / steps);
  };
  for (int k = 0; k < count; ++k) {
    // Seams are in the middle of what two windows have in common.
    const int low = k == 0 ? 0 : (start(k - 1) + length + start(k)) / 2;
    const int high = k + 1 == count ? total : (start(k) + length + start(k + 1)) / 2;
    const int first = std::max(patch.first_bin, patch.pad_first_bin + low);
    const int end = std::min(patch.first_bin + patch.nbin, patch.pad_first_bin + high);
    if (first >= end) continue;
    const int pad_first = patch.pad_first_bin + start(k);
    windows.push_back({index, part_of(patch, first, end, pad_first, pad_first + length),
                       false, start(k) > 0, start(k) + length < total});
  }
}

specex_patch with_padding(const specex_patch &patch, specex_patch part, int padding) {
  const int end = patch.pad_first_bin + patch.pad_nbin;
  part.pad_first_bin = std::max(patch.pad_first_bin, part.first_bin - padding);
  part.pad_nbin =
      std::min(end, part.first_bin + part.nbin + padding) - part.pad_first_bin;
  return part;
}

std::vector<specex_patch> cut_short(const specex_patch &patch, const Window &window,
                                    int padding) {
  if (window.whole) return {patch};
  std::vector<specex_patch> parts;
  const int end = window.shape.first_bin + window.shape.nbin;
  for (int first = window.shape.first_bin; first < end; first += shortest_core) {
    const int last = std::min(first + shortest_core, end);
    parts.push_back(
        with_padding(patch, part_of(patch, first, last, first, last), padding));
  }
  return parts;
}

}  // namespace specex
