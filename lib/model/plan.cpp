// SPDX-License-Identifier: BSD-3-Clause
#include "model/plan.hpp"

#include <algorithm>
#include <climits>

#include "base/error.hpp"
#include "model/grid.hpp"

namespace specex {
namespace {

struct Range {
  int first;
  int count;
  int end() const { return first + count; }
};

// Splits a range into `parts` of sizes that differ by at most one, larger ones first.
std::vector<Range> split(Range range, int parts) {
  parts = std::clamp(parts, 1, range.count);
  std::vector<Range> result;
  for (int k = 0, first = range.first; k < parts; ++k) {
    const int count = range.count / parts + (k < range.count % parts ? 1 : 0);
    result.push_back({first, count});
    first += count;
  }
  return result;
}

// Smallest and largest corner of the spots of some fibres and bins.
struct Extent {
  Corner low{INT_MAX, INT_MAX};
  Corner high{INT_MIN, INT_MIN};

  void add(const Extent &other) {
    low = {std::min(low.x, other.low.x), std::min(low.y, other.low.y)};
    high = {std::max(high.x, other.high.x), std::max(high.y, other.high.y)};
  }
};

// Corners of every fibre of a bundle at every bin that its patches may touch.
class BundleCorners {
 public:
  BundleCorners(const Psf &psf, const specex_grid &grid, Range fibers, Range bins)
      : fibers_(fibers), bins_(bins) {
    corners_.reserve(static_cast<size_t>(fibers.count) * static_cast<size_t>(bins.count));
    for (int fiber = fibers.first; fiber < fibers.end(); ++fiber)
      for (int bin = bins.first; bin < bins.end(); ++bin) {
        const double wave = wavelength(grid, bin);
        corners_.push_back(
            spot_corner(psf, psf.xtrace.at(fiber, wave), psf.ytrace.at(fiber, wave)));
      }
  }

  Extent extent(Range fibers, Range bins) const {
    Extent total;
    for (int fiber = fibers.first; fiber < fibers.end(); ++fiber) {
      const Corner *row = corners_.data() +
                          static_cast<ptrdiff_t>(fiber - fibers_.first) * bins_.count -
                          bins_.first;
      for (int bin = bins.first; bin < bins.end(); ++bin) total.add({row[bin], row[bin]});
    }
    return total;
  }

 private:
  Range fibers_;
  Range bins_;
  std::vector<Corner> corners_;
};

// The rows that a patch uses. The products are evaluated exactly as the peers do, in
// doubles and truncated: 1 - 0.8 is just below 0.2, so a difference of 10 rows gives 1.
Range rows_used(int pad_low, int low, int high, int pad_high, double pixpad_frac) {
  const int skipped = static_cast<int>((low - pad_low) * (1 - pixpad_frac));
  const int used = static_cast<int>((high - pad_low) + (pad_high - high) * pixpad_frac);
  return {pad_low + skipped, used - skipped};
}

}  // namespace

void check_fibers(const Psf &psf, int first_fiber, int nspec) {
  if (first_fiber < 0 || nspec < 1 || first_fiber > psf.nspec - nspec)
    fail(SPECEX_ERROR_RANGE, "%d fibres from %d were asked for; the PSF has %d (from 0)",
         nspec, first_fiber, psf.nspec);
}

void check_coverage(const Psf &psf, const specex_grid &grid) {
  const double low = psf.wavemin();
  const double high = psf.wavemax();
  const double slack = 0.01 * (high - low);
  const double last = wavelength(grid, grid.nwave - 1);
  if (!(grid.wavemin >= low - slack) || !(last <= high + slack))
    fail(SPECEX_ERROR_RANGE,
         "wavelengths %.6g to %.6g Angstrom were asked for; the PSF covers %.6g to %.6g",
         grid.wavemin, last, low, high);
}

std::vector<specex_patch> make_plan(const Psf &psf, const specex_grid &grid,
                                    const Division &division, int first_fiber,
                                    int nspec) {
  check_grid(grid);
  check_fibers(psf, first_fiber, nspec);
  check_coverage(psf, grid);
  const int nwave = static_cast<int>(grid.nwave);
  const int step =
      division.literal_steps ? division.nwavestep : std::min(division.nwavestep, nwave);
  const int pad = division.wavepad;

  std::vector<specex_patch> plan;
  const int first_bundle = first_fiber / division.bundlesize * division.bundlesize;
  for (int bundle = first_bundle; bundle < first_fiber + nspec;
       bundle += division.bundlesize) {
    const Range fibers{bundle, std::min(division.bundlesize, psf.nspec - bundle)};
    const BundleCorners corners(psf, grid, fibers, {-pad, nwave + step + 2 * pad});
    for (const Range core : split(fibers, division.nsubbundles)) {
      if (core.end() <= first_fiber || core.first >= first_fiber + nspec) continue;
      const int pad_first = std::max(core.first - 1, fibers.first);
      const Range padded{pad_first, std::min(core.end() + 1, fibers.end()) - pad_first};
      for (int bin = 0; bin < nwave; bin += step) {
        // The last patch goes on beyond the grid: all are of one size.
        const Range bins{bin, step};
        const Range pad_bins{bin - pad, bins.count + 2 * pad};
        const Extent outer = corners.extent(padded, pad_bins);
        const Extent inner = corners.extent(padded, bins);
        const Range rows =
            rows_used(outer.low.y, inner.low.y, inner.high.y + psf.spot_ny(),
                      outer.high.y + psf.spot_ny(), division.pixpad_frac);
        specex_patch patch{};
        patch.struct_size = sizeof patch;
        patch.wavemin = grid.wavemin;
        patch.wavestep = grid.wavestep;
        patch.first_fiber = core.first;
        patch.nfiber = core.count;
        patch.first_bin = bins.first;
        patch.nbin = bins.count;
        patch.nkeep = std::min(step, nwave - bin);
        patch.pad_first_fiber = padded.first;
        patch.pad_nfiber = padded.count;
        patch.pad_first_bin = pad_bins.first;
        patch.pad_nbin = pad_bins.count;
        patch.ymin = rows.first;
        patch.ymax = rows.end();
        patch.xmin = outer.low.x;
        patch.xmax = outer.high.x + psf.spot_nx();
        patch.ndiag = psf.ndiag();
        patch.first_bundle_fiber = bundle;
        plan.push_back(patch);
      }
    }
  }
  return plan;
}

}  // namespace specex
