// SPDX-License-Identifier: BSD-3-Clause
#include "psf_model.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "log.hpp"
#include "random.hpp"
#include "session.hpp"
#include "wavelengths.hpp"

namespace specex_cli {

namespace {

constexpr int ntrace_coefficients = 7;
constexpr int nspot_coefficients = 4;
constexpr int gauss_hermite_degree = 6;

// Across the dispersion: 25 fibres a bundle, then a gap. Pixels.
constexpr int32_t bundles_of_a_ccd = 20;
constexpr double bundle_gap = 17.56;
constexpr double bundle_pitch = (bundle_size - 1) * fiber_spacing + bundle_gap;
constexpr double fiber_scatter = 0.04;  // rms, in x and y

// Along the dispersion: a wavelength falls on higher rows at the edges than in the
// middle.
constexpr double smile_depth = 119;        // rows, at mid wavelength
constexpr double edge_stretch = 0.0088;    // of the dispersion, edges against the middle
constexpr double rows_per_bin_step = 0.8;  // Angstrom, the bin of the dispersions below

struct Camera {
  char letter;
  int64_t nx, ny;                       // of a CCD with 20 bundles
  double rows_per_bin_low;              // per bin of 0.8 Angstrom, where the range
  double rows_per_bin_high;             // that DESI extracts begins and ends
  double trace_wavemin, trace_wavemax;  // Angstrom
  double spot_wavemax;                  // of the spots; their wavemin is the traces'
};

constexpr std::array<Camera, 3> cameras{{
    {'b', 4096, 4096, 1.28, 1.44, 3523, 5876, 5877},
    {'r', 4114, 4128, 1.41, 1.63, 5543, 7826, 7827},
    {'z', 4114, 4128, 1.20, 1.47, 7436, 9911, 9912},
}};

const Camera &find_camera(char letter) {
  const auto *camera =
      std::find_if(cameras.begin(), cameras.end(),
                   [&](const Camera &one) { return one.letter == letter; });
  if (camera == cameras.end())
    throw Failure(exit_configuration,
                  text("the camera is b, r or z, and not %c", letter));
  return *camera;
}

WavelengthRange extracted_range(const Camera &camera) {
  specex_psf_info coverage{};
  coverage.wavemin = camera.trace_wavemin;
  coverage.wavemax = camera.trace_wavemax;
  return camera_wavelengths(std::string(1, camera.letter), coverage);
}

using TraceCoefficients = std::array<double, ntrace_coefficients>;

// sum_k c_k P_k(t), by Bonnet's recursion.
double legendre_sum(const TraceCoefficients &c, double t) {
  double previous = 1, current = t, sum = c[0] + c[1] * t;
  for (int k = 2; k < ntrace_coefficients; ++k) {
    const double next = ((2 * k - 1) * t * current - (k - 1) * previous) / k;
    sum += c[static_cast<size_t>(k)] * next;
    previous = current;
    current = next;
  }
  return sum;
}

// Rows against wavelength at position u of the CCD, but for a common constant. The
// dispersion s in rows per Angstrom is linear in wavelength, so with half the range h
//   y(t) = h s_mid t + h^2 s' t^2 / 2,   and t^2 = (2 P_2 + 1) / 3,
// to which the optics add small higher terms.
TraceCoefficients rows(const Camera &camera, double u) {
  const WavelengthRange range = extracted_range(camera);
  const double half = (camera.trace_wavemax - camera.trace_wavemin) / 2;
  const double middle = (camera.trace_wavemax + camera.trace_wavemin) / 2;
  const double slope = (camera.rows_per_bin_high - camera.rows_per_bin_low) /
                       rows_per_bin_step / (range.wavemax - range.wavemin);
  const double at_middle =
      camera.rows_per_bin_low / rows_per_bin_step + slope * (middle - range.wavemin);
  return {smile_depth * u * u,
          half * at_middle * (1 + edge_stretch * (u * u - 2.0 / 3)),
          half * half * slope / 3,
          3.5,
          0.3,
          -1.2,
          -0.1};
}

// Columns against wavelength, but for the fibre's own constant: the image is magnified a
// little with wavelength, and distorted.
TraceCoefficients columns(double u) {
  return {0,
          6.0 * u - 0.4,
          1.1 * u - 1.4,
          -0.1 * u,
          0.2 - 1.5 * u,
          0.06 - 0.1 * u,
          0.2 * u - 0.02};
}

// The constant that puts the camera's range into the middle of the CCD's rows.
double row_constant(const Camera &camera) {
  const WavelengthRange range = extracted_range(camera);
  const auto t = [&](double wave) {
    return 2 * (wave - camera.trace_wavemin) /
               (camera.trace_wavemax - camera.trace_wavemin) -
           1;
  };
  const double lowest = legendre_sum(rows(camera, 0), t(range.wavemin));
  const double highest = legendre_sum(rows(camera, 1), t(range.wavemax));
  return (static_cast<double>(camera.ny - 1) - lowest - highest) / 2;
}

// Typical size of the coefficient GH-i-j: it falls with the degree.
double coefficient_scatter(int i, int j) { return 0.02 * std::exp(-0.45 * (i + j - 1)); }

// Mean of GH-i-j: a symmetric excess in core and wings over the Gaussian.
double coefficient_mean(int i, int j) {
  if (i == 0 && j == 0) return 1;
  if (i == 0 && j == 2) return 0.025;
  if (i == 0 && j == 4) return 0.008;
  if (i == 0 && j == 6) return 0.006;
  if (i == 2 && j == 4) return 0.012;
  if (i == 4 && j == 2) return 0.012;
  if (i == 6 && j == 0) return 0.005;
  return 0;
}

// A smooth random function of the position on the CCD, of size about 1.
class SmoothField {
 public:
  explicit SmoothField(Random &random)
      : constant_(0.6 * random.normal()),
        slope_(0.5 * random.normal()),
        curvature_(0.3 * random.normal()) {}
  double operator()(double u) const {
    return constant_ + slope_ * u + curvature_ * (1.5 * u * u - 0.5);
  }

 private:
  double constant_, slope_, curvature_;
};

}  // namespace

PsfModel::PsfModel(char camera_letter, int32_t nspec, uint64_t seed)
    : camera_(camera_letter), nspec_(nspec) {
  const Camera &camera = find_camera(camera_letter);
  if (nspec < 1)
    throw Failure(exit_configuration,
                  text("a PSF has at least one fibre, not %d", nspec));
  make_traces(seed);
  make_spots(seed);

  const int32_t nbundle = (nspec + bundle_size - 1) / bundle_size;
  view_.struct_size = sizeof view_;
  view_.kind = SPECEX_PSF_GAUSS_HERMITE;
  view_.nspec = nspec;
  view_.nx = camera.nx + std::llround((nbundle - bundles_of_a_ccd) * bundle_pitch);
  view_.ny = camera.ny;
  view_.hsizex = 8;
  view_.hsizey = 5;
  view_.ghdegx = gauss_hermite_degree;
  view_.ghdegy = gauss_hermite_degree;
  view_.xtrace_wavemin = view_.ytrace_wavemin = view_.wavemin = camera.trace_wavemin;
  view_.xtrace_wavemax = view_.ytrace_wavemax = camera.trace_wavemax;
  view_.wavemax = camera.spot_wavemax;
  view_.xtrace_ncoef = view_.ytrace_ncoef = ntrace_coefficients;
  view_.nparam = static_cast<int32_t>(names_.size());
  view_.ncoef = nspot_coefficients;
  view_.xtrace = xtrace_.data();
  view_.ytrace = ytrace_.data();
  for (const std::string &name : names_) name_pointers_.push_back(name.c_str());
  view_.param_names = name_pointers_.data();
  view_.params = parameters_.data();
  view_.psferr = 0.01;
}

double PsfModel::position_on_ccd(int32_t fiber) const {
  const int32_t nfiber = std::max(nspec_, bundles_of_a_ccd * bundle_size);
  return 2 * (fiber + 0.5) / nfiber - 1;
}

void PsfModel::make_traces(uint64_t seed) {
  const Camera &camera = find_camera(camera_);
  const double margin =
      (static_cast<double>(camera.nx) - (bundles_of_a_ccd * bundle_pitch - bundle_gap)) /
      2;
  const double row0 = row_constant(camera);
  Random random(seed, 0);
  for (int32_t fiber = 0; fiber < nspec_; ++fiber) {
    const double u = position_on_ccd(fiber);
    TraceCoefficients x = columns(u);
    TraceCoefficients y = rows(camera, u);
    const int32_t bundle = fiber / bundle_size;
    x[0] = margin + bundle * bundle_pitch + fiber % bundle_size * fiber_spacing +
           fiber_scatter * random.normal();
    y[0] += row0 + fiber_scatter * random.normal();
    for (size_t k = 1; k < 4; ++k) {
      x[k] += fiber_scatter / 2 * random.normal();
      y[k] += fiber_scatter / 2 * random.normal();
    }
    xtrace_.insert(xtrace_.end(), x.begin(), x.end());
    ytrace_.insert(ytrace_.end(), y.begin(), y.end());
  }
}

void PsfModel::make_spots(uint64_t seed) {
  // Widths of the core in pixels, along the wavelength as Legendre coefficients.
  const auto set_width = [&](const char *name, std::array<double, 4> mean,
                             uint64_t stream) {
    Random random(seed, stream);
    const SmoothField field(random);
    double *width = add_parameter(name);
    for (int32_t fiber = 0; fiber < nspec_; ++fiber)
      for (size_t k = 0; k < nspot_coefficients; ++k)
        *width++ = mean[k] + (k < 2 ? 0.01 * field(position_on_ccd(fiber)) : 0);
  };
  set_width("GHSIGX", {1.05, 0.03, -0.03, 0.01}, 1);
  set_width("GHSIGY", {1.12, 0.07, 0.03, -0.015}, 2);

  for (int j = 0; j <= gauss_hermite_degree; ++j)
    for (int i = 0; i <= gauss_hermite_degree; ++i) {
      double *coefficient =
          add_parameter("GH-" + std::to_string(i) + "-" + std::to_string(j));
      Random random(seed, static_cast<uint64_t>(10 + 10 * i + j));
      for (int k = 0; k < nspot_coefficients; ++k) {
        const SmoothField field(random);
        // GH-0-0 is the scale of the others; a spot is normalised in any case.
        const double scatter = i + j == 0 ? 0 : coefficient_scatter(i, j) / (1 + k);
        for (int32_t fiber = 0; fiber < nspec_; ++fiber)
          coefficient[fiber * nspot_coefficients + k] =
              (k == 0 ? coefficient_mean(i, j) : 0) +
              scatter * field(position_on_ccd(fiber));
      }
    }

  // No Lorentzian tail, but its shape; every fit succeeded.
  const auto set_constant = [&](const char *name, double value) {
    double *parameter = add_parameter(name);
    for (int32_t fiber = 0; fiber < nspec_; ++fiber)
      parameter[fiber * nspot_coefficients] = value;
  };
  set_constant("TAILAMP", 0);
  set_constant("TAILCORE", 1);
  set_constant("TAILXSCA", 1);
  set_constant("TAILYSCA", 1);
  set_constant("TAILINDE", 2);
  double *bundle = add_parameter("BUNDLE");
  for (int32_t fiber = 0; fiber < nspec_; ++fiber) {
    const int32_t number = fiber / bundle_size;
    bundle[fiber * nspot_coefficients] = number;
  }
  set_constant("STATUS", 0);
  set_constant("CONT", 0);
}

double *PsfModel::add_parameter(const std::string &name) {
  const size_t size = static_cast<size_t>(nspec_) * nspot_coefficients;
  names_.push_back(name);
  parameters_.resize(parameters_.size() + size);
  return parameters_.data() + parameters_.size() - size;
}

}  // namespace specex_cli
