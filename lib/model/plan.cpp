// SPDX-License-Identifier: BSD-3-Clause
#include "model/plan.hpp"

#include <algorithm>
#include <climits>
#include <cmath>

#include "base/deal.hpp"
#include "base/error.hpp"
#include "model/grid.hpp"

namespace specex {
namespace {

struct Range {
  int first;
  int count;
  int end() const { return first + count; }
};

// How far beyond its wavelength range a PSF is used: farther out a polynomial's
// extrapolation is a guess.
double coverage_slack(const Psf &psf) { return 0.01 * (psf.wavemax() - psf.wavemin()); }

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
};

// The polynomials of the traces at the bins that patches may touch: all fibres share
// them.
struct TraceBasis {
  TraceBasis(const Psf &psf, const specex_grid &grid, Range range) : bins(range) {
    const auto wave = [&](size_t i) {
      return wavelength(grid, range.first + static_cast<int64_t>(i));
    };
    x.tabulate(psf.xtrace, static_cast<size_t>(range.count), wave);
    y.tabulate(psf.ytrace, static_cast<size_t>(range.count), wave);
  }

  Range bins;
  LegendreBasis x;
  LegendreBasis y;
};

// Corners of every fibre of a bundle at every bin that its patches may touch; by
// coordinate, so that extents are found for several bins at a time.
class BundleCorners {
 public:
  BundleCorners(const Psf &psf, const TraceBasis &basis, Range fibers)
      : fibers_(fibers), bins_(basis.bins) {
    const auto count = static_cast<size_t>(bins_.count);
    std::vector<double> x(count);
    std::vector<double> y(count);
    for (std::vector<int> *corners : {&x_, &y_})
      corners->resize(static_cast<size_t>(fibers.count) * count);
    for (int fiber = fibers.first; fiber < fibers.end(); ++fiber) {
      basis.x.evaluate(psf.xtrace, fiber, count, x.data());
      basis.y.evaluate(psf.ytrace, fiber, count, y.data());
      int *to_x = x_.data() + first_of(fiber);
      int *to_y = y_.data() + first_of(fiber);
      for (size_t bin = 0; bin < count; ++bin)
        to_x[bin] = corner_pixel(x[bin], psf.hsizex);
      for (size_t bin = 0; bin < count; ++bin)
        to_y[bin] = corner_pixel(y[bin], psf.hsizey);
    }
  }

  Extent extent(Range fibers, Range bins) const {
    Extent total;
    for (int fiber = fibers.first; fiber < fibers.end(); ++fiber) {
      const ptrdiff_t first = first_of(fiber) + bins.first - bins_.first;
      widen(x_.data() + first, bins.count, total.low.x, total.high.x);
      widen(y_.data() + first, bins.count, total.low.y, total.high.y);
    }
    return total;
  }

 private:
  ptrdiff_t first_of(int fiber) const {
    return static_cast<ptrdiff_t>(fiber - fibers_.first) * bins_.count;
  }
  static void widen(const int *values, int count, int &low, int &high) {
    int least = low;
    int most = high;
    for (int k = 0; k < count; ++k) {
      least = std::min(least, values[k]);
      most = std::max(most, values[k]);
    }
    low = least;
    high = most;
  }

  Range fibers_;
  Range bins_;
  std::vector<int> x_;
  std::vector<int> y_;
};

// The rows that a patch uses. The products are evaluated exactly as the peers do, in
// doubles and truncated: 1 - 0.8 is just below 0.2, so a difference of 10 rows gives 1.
Range rows_used(int pad_low, int low, int high, int pad_high, double pixpad_frac) {
  const int skipped = static_cast<int>((low - pad_low) * (1 - pixpad_frac));
  const int used = static_cast<int>((high - pad_low) + (pad_high - high) * pixpad_frac);
  return {pad_low + skipped, used - skipped};
}

void check_size(int64_t value, int64_t most, const char *what) {
  if (value > most)
    fail(SPECEX_ERROR_ARGUMENT,
         "%lld %s, more than %lld: change bundlesize, nsubbundles or nwavestep",
         static_cast<long long>(value), what, static_cast<long long>(most));
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
  const double slack = coverage_slack(psf);
  const double last = wavelength(grid, grid.nwave - 1);
  if (!(grid.wavemin >= low - slack) || !(last <= high + slack))
    fail(SPECEX_ERROR_RANGE,
         "wavelengths %.6g to %.6g Angstrom were asked for; the PSF covers %.6g to %.6g",
         grid.wavemin, last, low, high);
}

std::vector<specex_patch> make_plan(const Psf &psf, const specex_grid &grid,
                                    const Division &division, int first_fiber, int nspec,
                                    int threads) {
  check_grid(grid);
  check_fibers(psf, first_fiber, nspec);
  check_coverage(psf, grid);
  const int nwave = static_cast<int>(grid.nwave);
  const int step =
      division.literal ? division.nwavestep : std::min(division.nwavestep, nwave);
  const int pad = division.wavepad;

  // Bins that padding may reach. The corrected mode stays where traces are defined.
  const double slack = coverage_slack(psf);
  const auto bin_at = [&](double wave) {
    return std::clamp((wave - grid.wavemin) / grid.wavestep, -1e9, 1e9);
  };
  const int lowest = division.literal
                         ? INT_MIN / 2
                         : static_cast<int>(std::ceil(bin_at(psf.wavemin() - slack)));
  const int highest = division.literal
                          ? INT_MAX / 2
                          : static_cast<int>(std::floor(bin_at(psf.wavemax() + slack)));

  const int first_bundle = first_fiber / division.bundlesize;
  const int last_bundle = (first_fiber + nspec - 1) / division.bundlesize;
  const int64_t steps = (nwave + step - 1) / step;
  const int64_t bundle_fibers = std::min(division.bundlesize, psf.nspec);
  const int64_t parts = std::clamp<int64_t>(division.nsubbundles, 1, bundle_fibers);
  const int64_t padded_fibers =
      std::min((bundle_fibers + parts - 1) / parts + 2, bundle_fibers);
  check_size(padded_fibers * (step + 2 * pad), max_unknowns,
             "bins would be solved together");
  check_size((last_bundle - first_bundle + 1) * parts * steps, max_patches,
             "patches would be needed");

  const TraceBasis basis(psf, grid, {-pad, static_cast<int>(steps) * step + 2 * pad});
  std::vector<std::vector<specex_patch>> plans(
      static_cast<size_t>(last_bundle - first_bundle + 1));
  deal(threads, plans.size(), [&](size_t k) {
    const int bundle = (first_bundle + static_cast<int>(k)) * division.bundlesize;
    const Range fibers{bundle, std::min(division.bundlesize, psf.nspec - bundle)};
    const BundleCorners corners(psf, basis, fibers);
    for (const Range core : split(fibers, division.nsubbundles)) {
      if (core.end() <= first_fiber || core.first >= first_fiber + nspec) continue;
      const int pad_first = std::max(core.first - 1, fibers.first);
      const Range padded{pad_first, std::min(core.end() + 1, fibers.end()) - pad_first};
      for (int bin = 0; bin < nwave; bin += step) {
        // The last patch goes on beyond the grid: all are of one size.
        const Range bins{bin, step};
        const int pad_low = std::min(bin, std::max(bin - pad, lowest));
        const int pad_high =
            std::max(bins.end(), std::min(bins.end() + pad, highest + 1));
        const Range pad_bins{pad_low, pad_high - pad_low};
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
        plans[k].push_back(patch);
      }
    }
  });
  std::vector<specex_patch> plan;
  for (const auto &own : plans) plan.insert(plan.end(), own.begin(), own.end());
  return plan;
}

}  // namespace specex
