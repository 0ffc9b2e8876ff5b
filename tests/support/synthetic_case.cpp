// SPDX-License-Identifier: BSD-3-Clause
#include "support/synthetic_case.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "support/random.hpp"

namespace specex_test {
namespace {

constexpr double first_wave = 6000.0;  // Angstrom
constexpr double step = 1.0;
constexpr double beyond = 25.0;  // how far the PSF reaches beyond the grid
constexpr int ncoef = 3;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

size_t at(int64_t index) { return static_cast<size_t>(index); }

// A test cannot go on when what it stands on fails.
void require(specex_status status, const char *what, const specex_context *context) {
  if (status == SPECEX_OK) return;
  std::fprintf(stderr, "%s: %s: %s\n", what, specex_status_name(status),
               specex_last_error(context));
  std::abort();
}

bool all_finite(const std::vector<double> &values) {
  return std::all_of(values.begin(), values.end(),
                     [](double value) { return std::isfinite(value); });
}

}  // namespace

const specex_psf *PsfTables::view() {
  name_pointers_.clear();
  for (const std::string &name : names) name_pointers_.push_back(name.c_str());
  psf.xtrace = xtrace.data();
  psf.ytrace = ytrace.data();
  psf.param_names = name_pointers_.data();
  psf.params = params.data();
  psf.nparam = static_cast<int32_t>(names.size());
  return &psf;
}

double *PsfTables::coefficient(const std::string &name, int fiber) {
  const auto index = std::find(names.begin(), names.end(), name) - names.begin();
  return params.data() + (index * psf.nspec + fiber) * psf.ncoef;
}

void PsfTables::add_parameter(const std::string &name, double value) {
  names.push_back(name);
  for (int fiber = 0; fiber < psf.nspec; ++fiber)
    for (int k = 0; k < psf.ncoef; ++k) params.push_back(k == 0 ? value : 0.0);
}

PsfTables make_psf(const CaseSpec &spec) {
  PsfTables tables{};
  specex_psf &psf = tables.psf;
  psf.struct_size = sizeof psf;
  psf.kind = SPECEX_PSF_GAUSS_HERMITE;
  psf.nspec = spec.nspec;
  psf.hsizex = spec.hsizex;
  psf.hsizey = spec.hsizey;
  psf.ghdegx = psf.ghdegy = 4;
  psf.xtrace_ncoef = psf.ytrace_ncoef = psf.ncoef = ncoef;
  psf.psferr = 0.02;
  // Traces and parameters have ranges of their own, as in real files.
  psf.wavemin = first_wave - beyond;
  psf.wavemax = first_wave + spec.nwave * step + beyond;
  psf.xtrace_wavemin = psf.wavemin - 1.0;
  psf.xtrace_wavemax = psf.wavemax + 2.0;
  psf.ytrace_wavemin = psf.wavemin - 3.0;
  psf.ytrace_wavemax = psf.wavemax + 1.0;
  const double centre = 0.5 * (psf.ytrace_wavemin + psf.ytrace_wavemax);
  const double half = 0.5 * (psf.ytrace_wavemax - psf.ytrace_wavemin);
  const double rate = spec.rows_per_bin / step;
  const double y_first =
      rate > 0.0 ? spec.margin : spec.margin - rate * (spec.nwave - 1) * step;
  for (int fiber = 0; fiber < spec.nspec; ++fiber) {
    tables.xtrace.insert(tables.xtrace.end(),
                         {spec.side_margin + spec.spacing * fiber, 0.6, -0.2});
    tables.ytrace.insert(
        tables.ytrace.end(),
        {y_first + rate * (centre - first_wave) + 0.37 * fiber, rate * half, 0.3});
  }
  const std::pair<const char *, std::array<double, ncoef>> parameters[] = {
      {"GHSIGX", {1.15, 0.05, 0.01}},   {"GHSIGY", {1.05, -0.04, 0.02}},
      {"GH-0-0", {1.0, 0.0, 0.0}},      {"GH-2-0", {0.02, 0.005, 0.0}},
      {"GH-0-2", {-0.015, 0.0, 0.003}}, {"GH-1-1", {0.01, 0.0, 0.0}},
      {"GH-3-0", {0.01, -0.004, 0.0}},  {"GH-0-4", {0.006, 0.0, 0.0}},
  };
  for (const auto &[name, series] : parameters) {
    tables.names.emplace_back(name);
    for (int fiber = 0; fiber < spec.nspec; ++fiber)
      tables.params.insert(tables.params.end(), series.begin(), series.end());
  }
  if (spec.tails) {
    tables.add_parameter("TAILAMP", 0.01);
    tables.add_parameter("TAILCORE", 1.5);
    tables.add_parameter("TAILXSCA", 1.0);
    tables.add_parameter("TAILYSCA", 0.9);
    tables.add_parameter("TAILINDE", 2.2);
  }
  return tables;
}

specex_image Case::image() const {
  specex_image view{};
  view.struct_size = sizeof view;
  view.type = SPECEX_FLOAT64;
  view.nx = view.pixels_stride = view.ivar_stride = nx;
  view.ny = ny;
  view.pixels = pixels.data();
  view.ivar = ivar.data();
  return view;
}

Case make_case(const CaseSpec &spec) {
  Case c{};
  c.spec = spec;
  c.psf = make_psf(spec);
  c.grid.struct_size = sizeof c.grid;
  c.grid.wavemin = first_wave;
  c.grid.wavestep = step;
  c.grid.nwave = spec.nwave;
  c.nx = 2 * spec.side_margin + static_cast<int64_t>(spec.spacing * (spec.nspec - 1)) + 1;
  c.ny = 2 * spec.margin +
         static_cast<int64_t>(std::abs(spec.rows_per_bin) * (spec.nwave - 1)) + 1;
  Random random(spec.seed);
  for (int fiber = 0; fiber < spec.nspec; ++fiber)
    for (int w = 0; w < spec.nwave; ++w) {
      const double line = std::exp(-0.5 * std::pow((w % 11 - 5.0) / 1.2, 2));
      c.truth.push_back(40.0 + 15.0 * fiber +
                        300.0 * spec.ripple * line * random.uniform());
    }
  simulate(c);
  return c;
}

void simulate(Case &c) {
  specex_options options = small_options();
  const Context context(options, c.psf.view());
  c.pixels.assign(at(c.nx * c.ny), 0.0);
  c.ivar.assign(at(c.nx * c.ny), 0.0);
  require(specex_project(context, &c.grid, 0, c.spec.nspec, c.truth.data(), c.nx, c.ny,
                         c.pixels.data()),
          "specex_project", context);
  Random random(c.spec.seed + 1000);
  for (size_t p = 0; p < c.pixels.size(); ++p) {
    const double variance = 9.0 + c.pixels[p];
    c.pixels[p] += std::sqrt(variance) * random.normal();
    c.ivar[p] = 1.0 / variance;
  }
}

specex_options small_options(int32_t backend) {
  specex_options options{};
  require(specex_options_init(&options, sizeof options), "specex_options_init", nullptr);
  options.backend = backend;
  options.num_threads = 1;
  options.bundlesize = 4;
  options.nsubbundles = 2;
  options.nwavestep = 12;
  options.wavepad = 5;
  return options;
}

Context::Context(const specex_options &options, const specex_psf *psf) {
  require(specex_create(&options, &context_), "specex_create", nullptr);
  if (psf != nullptr) require(specex_set_psf(context_, psf), "specex_set_psf", context_);
}

Frame::Frame(int first_fiber, int nspec, int64_t nwave, int ndiag, int64_t nx, int64_t ny)
    : wavelength(at(nwave), nan),
      flux(at(nspec * nwave), nan),
      ivar(flux),
      resolution(at(nspec * ndiag * nwave), nan),
      chi2pix(flux),
      pixmask_fraction(flux),
      model(at(nx * ny), nan),
      mask(flux.size(), -1) {
  frame.struct_size = sizeof frame;
  frame.first_fiber = first_fiber;
  frame.nspec = nspec;
  frame.nwave = nwave;
  frame.ndiag = ndiag;
  frame.model_nx = nx;
  frame.model_ny = ny;
}

Frame::Frame(const Case &c, int first_fiber, int nspec)
    : Frame(first_fiber, nspec, c.grid.nwave, 2 * c.spec.hsizey + 1, c.nx, c.ny) {}

specex_frame *Frame::get() {
  const auto data = [](auto &values) { return values.empty() ? nullptr : values.data(); };
  frame.wavelength = data(wavelength);
  frame.flux = data(flux);
  frame.ivar = data(ivar);
  frame.resolution = data(resolution);
  frame.chi2pix = data(chi2pix);
  frame.pixmask_fraction = data(pixmask_fraction);
  frame.model = data(model);
  frame.mask = data(mask);
  return &frame;
}

bool Frame::finite() const {
  return all_finite(wavelength) && all_finite(flux) && all_finite(ivar) &&
         all_finite(resolution) && all_finite(chi2pix) && all_finite(pixmask_fraction) &&
         all_finite(model);
}

bool same_bits(const std::vector<double> &a, const std::vector<double> &b) {
  return a.size() == b.size() &&
         std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

bool same_bits(const Frame &a, const Frame &b) {
  return same_bits(a.wavelength, b.wavelength) && same_bits(a.flux, b.flux) &&
         same_bits(a.ivar, b.ivar) && same_bits(a.resolution, b.resolution) &&
         same_bits(a.chi2pix, b.chi2pix) &&
         same_bits(a.pixmask_fraction, b.pixmask_fraction) && a.mask == b.mask &&
         same_bits(a.model, b.model);
}

Frame extract(const Case &c, const specex_options &options, specex_status *status) {
  PsfTables psf = c.psf;
  const Context context(options, psf.view());
  Frame frame(c, 0, c.spec.nspec);
  const specex_image image = c.image();
  const specex_status result =
      specex_extract_frame(context, &image, &c.grid, 0, c.spec.nspec, frame.get());
  if (status != nullptr)
    *status = result;
  else
    require(result, "specex_extract_frame", context);
  return frame;
}

double seconds_of(int stage, specex_context *context, const Case &c) {
  Frame frame(c, 0, c.spec.nspec);
  const specex_image image = c.image();
  require(specex_extract_frame(context, &image, &c.grid, 0, c.spec.nspec, frame.get()),
          "specex_extract_frame", context);
  double seconds[SPECEX_NSTAGE];
  require(specex_stage_seconds(context, seconds, SPECEX_NSTAGE), "specex_stage_seconds",
          context);
  return seconds[stage];
}

Results::Results(const std::vector<specex_patch> &patches) {
  for (const specex_patch &patch : patches) {
    const size_t bins = at(patch.nfiber) * at(patch.nbin);
    const size_t model = at(patch.ymax - patch.ymin) * at(patch.xmax - patch.xmin);
    std::vector<double> arrays(bins * (4 + at(patch.ndiag)) + model, nan);
    specex_result result{};
    result.struct_size = sizeof result;
    result.flux = arrays.data();
    result.ivar = result.flux + bins;
    result.chi2pix = result.ivar + bins;
    result.pixmask_fraction = result.chi2pix + bins;
    result.resolution = result.pixmask_fraction + bins;
    result.model = result.resolution + bins * at(patch.ndiag);
    doubles.push_back(std::move(arrays));
    masks.emplace_back(bins, -1);
    result.mask = masks.back().data();
    results.push_back(result);
  }
}

bool Results::finite() const {
  return std::all_of(doubles.begin(), doubles.end(), all_finite);
}

std::vector<specex_patch> plan(specex_context *context, const specex_grid &grid,
                               int first_fiber, int nspec) {
  int64_t count = 0;
  require(specex_plan(context, &grid, first_fiber, nspec, nullptr, 0, &count),
          "specex_plan", context);
  specex_patch unset{};
  unset.struct_size = sizeof unset;
  std::vector<specex_patch> patches(at(count), unset);
  require(specex_plan(context, &grid, first_fiber, nspec, patches.data(), count, &count),
          "specex_plan", context);
  return patches;
}

bool has_backend(int32_t backend) {
  specex_options options = small_options(backend);
  specex_context *context = nullptr;
  const specex_status status = specex_create(&options, &context);
  specex_destroy(context);
  if (status != SPECEX_ERROR_NO_DEVICE) return true;
  std::printf("skipped: %s\n", specex_last_error(nullptr));
  return false;
}

bool lacks_instructions() {
  specex_context *context = nullptr;
  const bool lacking = specex_create(nullptr, &context) == SPECEX_ERROR_UNSUPPORTED;
  specex_destroy(context);
  return lacking;
}

}  // namespace specex_test
