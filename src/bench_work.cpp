// SPDX-License-Identifier: BSD-3-Clause
#include "bench_work.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace specex_cli {
namespace {

// What the formulas below are made of. Counts are doubles: products of them are large.
struct Sizes {
  double pixels = 0;     // of the image that the extracted spots cover
  double spots = 0;      // bins of all fibres, each once, with the padding at the ends
  double unknowns = 0;   // bins of all patches, with their padding
  double roots = 0;      // of these, the bins of core fibres
  double core = 0;       // of these, the core bins
  double bins = 0;       // results: fibres x bins of the frame
  double spot_nx = 0;    // pixels
  double spot_ny = 0;    // pixels
  double spot_size = 0;  // pixels
  double next_nx = 0;    // columns that a spot shares with one of the next fibre
  double rows_own = 0;   // summed over a bin and the later ones of its fibre: rows shared
  double rows_next = 0;  // summed over the bins of the next fibre: rows shared
  double band = 0;       // later bins of its fibre that a spot shares rows with
  double lags = 0;       // bins of the next fibre that a spot shares rows with
  double ndiag = 0;
};

// From fibre to fibre, within a bundle, and from bin to bin, at middle wavelength.
struct Spacing {
  double columns;
  double rows;
};

Spacing spacing(const Context &context, const BenchProblem &problem) {
  const specex_grid &grid = problem.grid();
  const double middle =
      grid.wavemin + grid.wavestep * static_cast<double>(grid.nwave) / 2;
  const double waves[] = {middle, middle + grid.wavestep};
  double x[2], y[2], next_x[2], next_y[2];
  const specex_psf_info info = context.psf_info();
  const int32_t fiber = std::max(0, std::min(problem.first_fiber(), info.nspec - 2));
  check(specex_trace(context.get(), fiber, waves, 2, x, y), context.get());
  const double rows = std::max(std::abs(y[1] - y[0]), 1e-3);
  if (info.nspec < 2) return {static_cast<double>(info.spot_nx), rows};
  check(specex_trace(context.get(), fiber + 1, waves, 2, next_x, next_y), context.get());
  return {std::abs(next_x[0] - x[0]), rows};
}

Sizes sizes_of(const Context &context, const BenchProblem &problem) {
  const specex_psf_info info = context.psf_info();
  const Spacing apart = spacing(context, problem);
  Sizes sizes;
  sizes.spot_nx = info.spot_nx;
  sizes.spot_ny = info.spot_ny;
  sizes.spot_size = sizes.spot_nx * sizes.spot_ny;
  sizes.ndiag = info.ndiag;
  sizes.bins =
      static_cast<double>(problem.nspec()) * static_cast<double>(problem.grid().nwave);
  sizes.next_nx = std::max(0.0, sizes.spot_nx - apart.columns);
  sizes.band = std::ceil(sizes.spot_ny / apart.rows) - 1;
  sizes.lags = sizes.next_nx > 0 ? 2 * sizes.band + 1 : 0;
  for (double m = 0; m <= sizes.band; ++m)
    sizes.rows_own += sizes.spot_ny - m * apart.rows;
  sizes.rows_next = 2 * sizes.rows_own - sizes.spot_ny;

  struct Extent {
    int32_t low_fiber, high_fiber, low_bin, high_bin;
  };
  std::map<int32_t, Extent> bundles;
  for (const specex_patch &patch :
       context.plan(problem.grid(), problem.first_fiber(), problem.nspec())) {
    const double bins = patch.pad_nbin;
    sizes.unknowns += bins * patch.pad_nfiber;
    sizes.roots += bins * patch.nfiber;
    sizes.core += static_cast<double>(patch.nbin) * patch.nfiber;
    const Extent own{patch.pad_first_fiber, patch.pad_first_fiber + patch.pad_nfiber,
                     patch.pad_first_bin, patch.pad_first_bin + patch.pad_nbin};
    Extent &all = bundles.try_emplace(patch.first_bundle_fiber, own).first->second;
    all = {std::min(all.low_fiber, own.low_fiber),
           std::max(all.high_fiber, own.high_fiber), std::min(all.low_bin, own.low_bin),
           std::max(all.high_bin, own.high_bin)};
  }
  for (const auto &[first_fiber, all] : bundles) {
    const double fibers = all.high_fiber - all.low_fiber;
    const double bins = all.high_bin - all.low_bin;
    sizes.spots += fibers * bins;
    sizes.pixels +=
        (fibers * apart.columns + sizes.spot_nx) * (bins * apart.rows + sizes.spot_ny);
  }
  return sizes;
}

constexpr double real = sizeof(double);
constexpr double single = sizeof(float);  // what spots and couplings are kept in

// Into clean pixels, value and weight, from the image's; two polynomials for where each
// spot lies.
Work pixels_work(const Sizes &s, const BenchProblem &problem) {
  const double element = problem.image().type == SPECEX_FLOAT32 ? single : real;
  const double ncoef = problem.psf().xtrace_ncoef + problem.psf().ytrace_ncoef;
  return {2 * ncoef * s.spots, 2 * (element + real) * s.pixels};
}

// A spot is sum_j P_j(y) sum_i c_ij P_i(x), its sum made 1. The profiles P take, at each
// edge of a pixel, a Gaussian that follows from its neighbour, and 5 operations for each
// derivative; the c are polynomials in wavelength.
Work spots_work(const Sizes &s, const specex_psf &psf) {
  const double terms_x = psf.ghdegx + 1;
  const double terms_y = psf.ghdegy + 1;
  const double edges = s.spot_nx + s.spot_ny + 2;
  const double parameters = terms_x * terms_y + 2;
  const double derivatives = std::max({11.0, terms_x, terms_y});
  const double flops = 2 * parameters * psf.ncoef + edges * (4 + 5 * derivatives) +
                       2 * terms_x * terms_y * s.spot_nx + 2 * terms_y * s.spot_size +
                       3 * s.spot_size;
  return {flops * s.spots, real * s.spot_size * s.spots};
}

// A spot times its pixels' weights; summed, against the pixels, and against the later
// spots of its fibre and those of the next fibre that it overlaps.
Work blocks_work(const Sizes &s) {
  const double flops = s.spot_size + 4 * s.spot_size + 2 * s.spot_nx * s.rows_own +
                       2 * s.next_nx * s.rows_next;
  const double elements = s.band + 1 + s.lags;
  return {flops * s.spots,
          (real * (s.spot_size + elements) + single * s.spot_size) * s.spots +
              2 * real * s.pixels};
}

// The elements of the equations, out of the blocks and into the lanes.
Work gather_work(const Sizes &s) {
  return {0, (2 * real * (s.band + 1) + (real + single) * s.lags) * s.unknowns};
}

// From either side: a band factor L D L^T, L^-1 X for a column of couplings X, the
// products X^T (L D L^T)^-1 X within the band, and their subtraction.
Work elimination_work(const Sizes &s) {
  const double width = s.band + 1;
  const double flops = width * width + 2 * width * s.lags + 2 * width * s.lags + width;
  return {2 * flops * s.unknowns, 2 * (4 * real * width + single * s.lags) * s.unknowns};
}

// Two passes of forward and back substitution through the blocks, and one residual.
Work flux_work(const Sizes &s) {
  const double pass = 2 * 4 * s.band + 2 * 2 * s.lags;
  const double residual = 4 * s.band + 2 + 4 * s.lags;
  return {(2 * pass + residual) * s.unknowns,
          3 * (2 * real * (s.band + 1) + single * s.lags) * s.unknowns};
}

// For each of 10 poles, which suffice for condition numbers of up to 1500: a band factor,
// two right-hand sides and the elements of the inverse within the resolution's diagonals.
Work root_work(const Sizes &s) {
  constexpr double poles = 10;
  const double width = s.band + 1;
  const double kept = (s.ndiag + 1) / 2;
  const double flops = width * width + 2 * 4 * s.band + 2 * s.band * kept;
  return {poles * flops * s.roots, real * (width + s.ndiag + 2) * s.roots};
}

// Two images, one of all bins for chi2pix and one of core bins; the chi2 of each pixel,
// about 8 operations, averaged over the spots of the core bins.
Work model_work(const Sizes &s) {
  const double spots = s.unknowns + 2 * s.core;
  return {2 * s.spot_size * spots + 8 * s.pixels,
          single * s.spot_size * spots + 4 * real * s.pixels};
}

// R f and its units; resolution, flux, ivar, chi2pix, masked fraction and mask, from the
// solution to their places.
Work finish_work(const Sizes &s) {
  return {(2 * s.ndiag + 10) * s.core, 2 * real * (s.ndiag + 5) * s.core};
}

// A look at every pixel that was given; the frame and the model image are cleared.
Work frame_work(const Sizes &s, const BenchProblem &problem) {
  const specex_image &image = problem.image();
  const double element = image.type == SPECEX_FLOAT32 ? single : real;
  const double given = static_cast<double>(image.nx) * static_cast<double>(image.ny);
  return {0, real * (s.ndiag + 5) * s.bins + (2 * element + real) * given};
}

}  // namespace

StageWork count_work(const Context &context, const BenchProblem &problem) {
  const Sizes sizes = sizes_of(context, problem);
  StageWork work;
  work[SPECEX_STAGE_FRAME] = frame_work(sizes, problem);
  work[SPECEX_STAGE_PIXELS] = pixels_work(sizes, problem);
  work[SPECEX_STAGE_SPOTS] = spots_work(sizes, problem.psf());
  work[SPECEX_STAGE_BLOCKS] = blocks_work(sizes);
  work[SPECEX_STAGE_GATHER] = gather_work(sizes);
  work[SPECEX_STAGE_ELIMINATION] = elimination_work(sizes);
  work[SPECEX_STAGE_FLUX] = flux_work(sizes);
  work[SPECEX_STAGE_ROOT] = root_work(sizes);
  work[SPECEX_STAGE_MODEL] = model_work(sizes);
  work[SPECEX_STAGE_FINISH] = finish_work(sizes);
  return work;  // of SPECEX_STAGE_FALLBACK nothing is known beforehand
}

}  // namespace specex_cli
