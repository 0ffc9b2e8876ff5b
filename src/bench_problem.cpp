// SPDX-License-Identifier: BSD-3-Clause
#include "bench_problem.hpp"

#include <cmath>

#include "log.hpp"
#include "spectra_model.hpp"

namespace specex_cli {
namespace {

constexpr char camera = 'r';
constexpr uint64_t seed = 0;

}  // namespace

BenchProblem::BenchProblem(const BenchSize &size) {
  nspec_ = size.fibers;
  psf_ = model_.emplace(camera, nspec_, seed).view();
  psf_.hsizex = size.hsizex;
  psf_.hsizey = size.hsizey;
  stretch(size.bins);
  draw_together(size.spacing);
  expose_made_up_light();
}

// A CCD, and a range of wavelengths, that is longer or shorter by as much as the bins are
// more or fewer than the camera's: the dispersion, and so all that a patch sees, stays.
void BenchProblem::stretch(int32_t bins) {
  specex_psf_info coverage{};
  coverage.wavemin = psf_.wavemin;
  coverage.wavemax = psf_.wavemax;
  grid_ = camera_wavelengths({camera}, coverage).grid();
  const double factor = static_cast<double>(bins) / static_cast<double>(grid_.nwave);

  const Context context;
  check(specex_set_psf(context.get(), &psf_), context.get());
  const double ends[] = {
      grid_.wavemin, grid_.wavemin + grid_.wavestep * static_cast<double>(grid_.nwave)};
  double x[2], y[2];
  check(specex_trace(context.get(), 0, ends, 2, x, y), context.get());
  const int64_t more_rows = std::llround((factor - 1) * (y[1] - y[0]));
  psf_.ny += more_rows;
  const auto ncoef = static_cast<size_t>(psf_.ytrace_ncoef);
  ytrace_.assign(psf_.ytrace, psf_.ytrace + static_cast<size_t>(nspec_) * ncoef);
  for (size_t k = 0; k < ytrace_.size(); ++k)
    if (k % ncoef == 0)
      ytrace_[k] += static_cast<double>(more_rows) / 2;
    else
      ytrace_[k] *= factor;
  psf_.ytrace = ytrace_.data();

  const auto stretched = [&](double wave) {
    return psf_.wavemin + factor * (wave - psf_.wavemin);
  };
  grid_.wavemin = stretched(grid_.wavemin);
  grid_.nwave = bins;
  for (double *wavemax : {&psf_.wavemax, &psf_.xtrace_wavemax, &psf_.ytrace_wavemax})
    *wavemax = stretched(*wavemax);
}

// The fibres of each bundle, around its first.
void BenchProblem::draw_together(double spacing) {
  const auto ncoef = static_cast<size_t>(psf_.xtrace_ncoef);
  xtrace_.assign(psf_.xtrace, psf_.xtrace + static_cast<size_t>(nspec_) * ncoef);
  for (int32_t fiber = 0; fiber < nspec_; ++fiber)
    xtrace_[static_cast<size_t>(fiber) * ncoef] +=
        fiber % bundle_size * (spacing - fiber_spacing);
  psf_.xtrace = xtrace_.data();
}

void BenchProblem::expose_made_up_light() {
  const Context context;
  check(specex_set_psf(context.get(), &psf_), context.get());
  const std::vector<double> spectra = make_spectra(grid_, 0, nspec_, seed);
  std::vector<double> expected(static_cast<size_t>(psf_.nx * psf_.ny));
  check(specex_project(context.get(), &grid_, 0, nspec_, spectra.data(), psf_.nx, psf_.ny,
                       expected.data()),
        context.get());
  Detector detector;
  detector.nx = psf_.nx;
  detector.ny = psf_.ny;
  detector.ncosmic = static_cast<int32_t>(expected.size() / 25000);
  detector.nbadcolumn = static_cast<int32_t>(psf_.nx / 1000);
  exposure_ = expose(detector, expected, seed);
  for (size_t p = 0; p < exposure_.mask.size(); ++p)
    if (exposure_.mask[p] != 0) exposure_.ivar[p] = 0;
  image_.struct_size = sizeof image_;
  image_.type = SPECEX_FLOAT32;
  image_.nx = image_.pixels_stride = image_.ivar_stride = psf_.nx;
  image_.ny = psf_.ny;
  image_.pixels = exposure_.pixels.data();
  image_.ivar = exposure_.ivar.data();
}

BenchProblem::BenchProblem(const BenchFiles &files) {
  const Context context;
  psf_ = psf_file_.emplace(FitsFile::psf(context, files.psf)).psf();
  image_ = image_file_.emplace(FitsFile::image(context, files.image)).image();
  check(specex_set_psf(context.get(), &psf_), context.get());
  const std::string key = image_file_->key("CAMERA");
  grid_ = (files.wavelengths.empty()
               ? camera_wavelengths(key.empty() ? psf_file_->key("CAMERA") : key,
                                    context.psf_info())
               : parse_wavelengths(files.wavelengths))
              .grid();
  first_fiber_ = files.specmin;
  nspec_ = files.nspec.value_or(psf_.nspec - first_fiber_);
}

}  // namespace specex_cli
