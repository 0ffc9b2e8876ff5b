// SPDX-License-Identifier: BSD-3-Clause
//
// specex compare: the differences of two frames, in the units that matter.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "log.hpp"
#include "session.hpp"
#include "subcommands.hpp"

namespace specex_cli {
namespace {

constexpr double no_bound = std::numeric_limits<double>::infinity();

struct CompareOptions {
  std::string frame;
  std::string reference;
  std::string model;  // "": the frame's MODEL
  double max_pull = no_bound;
  double max_ivar = no_bound;
  double max_resolution = no_bound;
  double max_chi2pix = no_bound;
  double max_pixmask_difference = no_bound;
  double max_model = no_bound;
  double max_pixmask = 0.5;
  double min_ivar = 1e-8;
  int64_t max_lost = 0;
};

// The bins that are compared, one after the other.
using Bins = std::vector<size_t>;

size_t bins_of(const specex_frame &frame) {
  return static_cast<size_t>(frame.nspec) * static_cast<size_t>(frame.nwave);
}

[[noreturn]] void fail_different(const std::string &message) {
  throw Failure(exit_different, message);
}

void check_finite(const std::string &path, const char *name, const double *values,
                  size_t n) {
  if (!values) return;
  const auto bad =
      std::count_if(values, values + n, [](double v) { return !std::isfinite(v); });
  if (bad > 0)
    fail_different(
        text("'%s': %td values of %s are not finite", path.c_str(), bad, name));
}

void check_shapes(const specex_frame &a, const specex_frame &b) {
  if (a.nspec != b.nspec || a.nwave != b.nwave)
    fail_different(text("the frames are of %d x %lld and %d x %lld bins", a.nspec,
                        static_cast<long long>(a.nwave), b.nspec,
                        static_cast<long long>(b.nwave)));
  if (a.resolution && b.resolution && a.ndiag != b.ndiag)
    fail_different(text("the resolutions are of %d and %d diagonals", a.ndiag, b.ndiag));
  constexpr double same_wavelength = 1e-6;  // Angstrom
  for (int64_t bin = 0; bin < a.nwave; ++bin) {
    if (!(std::abs(a.wavelength[bin] - b.wavelength[bin]) <= same_wavelength))
      fail_different(text("bin %lld is at %.6f and %.6f Angstrom",
                          static_cast<long long>(bin), a.wavelength[bin],
                          b.wavelength[bin]));
  }
}

// Prints the spread of a kind of difference. True if its largest keeps the bound. What
// cannot be compared, because one of them is NaN, differs without bound.
bool report(const char *name, std::vector<double> differences, double bound) {
  std::replace_if(
      differences.begin(), differences.end(), [](double d) { return std::isnan(d); },
      std::numeric_limits<double>::infinity());
  std::sort(differences.begin(), differences.end());
  const auto percentile = [&](double percent) {
    const auto last = static_cast<double>(differences.size() - 1);
    return differences[static_cast<size_t>(percent / 100 * last)];
  };
  if (differences.empty()) differences.push_back(0);
  const bool kept = differences.back() <= bound;
  std::printf("%-16s median %9.2e  99%% %9.2e  99.9%% %9.2e  max %9.2e%s\n", name,
              percentile(50), percentile(99), percentile(99.9), differences.back(),
              kept ? "" : text("  passes %.2e", bound).c_str());
  return kept;
}

// Differences over the bins of one plane.
template <class Difference>
std::vector<double> over(const Bins &bins, Difference difference) {
  std::vector<double> result;
  result.reserve(bins.size());
  for (const size_t bin : bins) result.push_back(difference(bin));
  return result;
}

// |a - b| relative to 1 + b.
double relative(double a, double b) { return std::abs(a - b) / (1 + std::abs(b)); }

// The largest |R difference| over the diagonals of each bin.
std::vector<double> resolution_differences(const specex_frame &a, const specex_frame &b,
                                           const Bins &bins) {
  const auto nwave = static_cast<size_t>(a.nwave);
  const auto ndiag = static_cast<size_t>(a.ndiag);
  return over(bins, [&](size_t bin) {
    double largest = 0;
    for (size_t k = 0; k < ndiag; ++k) {
      const size_t at = (bin / nwave * ndiag + k) * nwave + bin % nwave;
      largest = std::max(largest, std::abs(a.resolution[at] - b.resolution[at]));
    }
    return largest;
  });
}

void report_mask(const specex_frame &a, const specex_frame &b) {
  const size_t n = bins_of(a);
  for (int bit = 0; bit < 31; ++bit) {
    const int32_t value = int32_t{1} << bit;
    size_t only_a = 0, only_b = 0, both = 0;
    for (size_t bin = 0; bin < n; ++bin) {
      const bool in_a = a.mask[bin] & value, in_b = b.mask[bin] & value;
      only_a += in_a && !in_b;
      only_b += in_b && !in_a;
      both += in_a && in_b;
    }
    if (only_a + only_b + both > 0)
      std::printf("mask bit %-7d both %zu  only first %zu  only second %zu\n", bit, both,
                  only_a, only_b);
  }
}

struct Model {
  const double *pixels;
  int64_t nx;
  int64_t ny;
};

bool report_model(const Model &a, const Model &b, double bound) {
  if (a.nx != b.nx || a.ny != b.ny) fail_different("the models differ in size");
  const auto n = static_cast<size_t>(a.nx * a.ny);
  std::vector<double> differences(n);
  for (size_t i = 0; i < n; ++i) differences[i] = relative(a.pixels[i], b.pixels[i]);
  return report("model", std::move(differences), bound);
}

// Pixels of an image file as double.
std::vector<double> pixels_of(const specex_image &image) {
  std::vector<double> result;
  result.reserve(static_cast<size_t>(image.nx * image.ny));
  for (int64_t y = 0; y < image.ny; ++y) {
    for (int64_t x = 0; x < image.nx; ++x) {
      const int64_t at = y * image.pixels_stride + x;
      result.push_back(image.type == SPECEX_FLOAT64
                           ? static_cast<const double *>(image.pixels)[at]
                           : double{static_cast<const float *>(image.pixels)[at]});
    }
  }
  return result;
}

bool compare_models(const CompareOptions &options, const Context &context,
                    const specex_frame &a, const specex_frame &b) {
  Model first{a.model, a.model_nx, a.model_ny};
  std::vector<double> pixels;
  if (!options.model.empty()) {
    const FitsFile file = FitsFile::image(context, options.model, 0);
    const specex_image image = file.image();
    pixels = pixels_of(image);
    first = {pixels.data(), image.nx, image.ny};
  }
  if (!first.pixels || !b.model) {
    if (options.max_model < no_bound)
      throw Failure(exit_configuration,
                    "--max-model needs a model image of both: see --model");
    return true;
  }
  return report_model(first, {b.model, b.model_nx, b.model_ny}, options.max_model);
}

void run_compare(const CompareOptions &options) {
  const Context context;
  const FitsFile first = FitsFile::frame(context, options.frame);
  const FitsFile second = FitsFile::frame(context, options.reference);
  const specex_frame a = first.frame();
  const specex_frame b = second.frame();
  if (!a.ivar || !b.ivar)
    throw Failure(exit_bad_data, "'" + (a.ivar ? options.reference : options.frame) +
                                     "': it has no IVAR to compare with");
  check_shapes(a, b);
  const size_t n = bins_of(a);
  check_finite(options.frame, "FLUX", a.flux, n);
  check_finite(options.frame, "IVAR", a.ivar, n);
  check_finite(options.frame, "RESOLUTION", a.resolution,
               n * static_cast<size_t>(a.ndiag));

  Bins bins;
  int64_t lost = 0, gained = 0;
  for (size_t bin = 0; bin < n; ++bin) {
    const bool unmasked =
        !b.pixmask_fraction || b.pixmask_fraction[bin] <= options.max_pixmask;
    const bool in_b = b.ivar[bin] > options.min_ivar && unmasked;
    const bool in_a = a.ivar[bin] > 0;
    if (in_a && in_b) bins.push_back(bin);
    lost += in_b && !in_a;
    gained += in_a && !in_b && unmasked;
  }
  std::printf("bins %zu  compared %zu  only first good %lld  only second good %lld\n", n,
              bins.size(), static_cast<long long>(gained), static_cast<long long>(lost));

  bool kept = lost <= options.max_lost;
  kept &= report("pull",
                 over(bins,
                      [&](size_t i) {
                        return std::abs(a.flux[i] - b.flux[i]) * std::sqrt(b.ivar[i]);
                      }),
                 options.max_pull);
  kept &=
      report("ivar ratio - 1",
             over(bins, [&](size_t i) { return std::abs(a.ivar[i] / b.ivar[i] - 1); }),
             options.max_ivar);
  if (a.resolution && b.resolution)
    kept &=
        report("resolution", resolution_differences(a, b, bins), options.max_resolution);
  if (a.chi2pix && b.chi2pix)
    kept &=
        report("chi2pix",
               over(bins, [&](size_t i) { return relative(a.chi2pix[i], b.chi2pix[i]); }),
               options.max_chi2pix);
  if (a.pixmask_fraction && b.pixmask_fraction)
    kept &= report("pixmask fraction",
                   over(bins,
                        [&](size_t i) {
                          return relative(a.pixmask_fraction[i], b.pixmask_fraction[i]);
                        }),
                   options.max_pixmask_difference);
  kept &= compare_models(options, context, a, b);
  if (a.mask && b.mask) report_mask(a, b);
  if (!kept) throw ExitStatus{exit_different};
}

}  // namespace

void add_compare(CLI::App &app) {
  CLI::App *command = app.add_subcommand(
      "compare", "Differences of two frames in sigmas, ivar and resolution");
  command->footer(
      "Compared are the bins that both frames call good. Each line has the median, 99%,\n"
      "99.9% and the largest of\n"
      "  pull              |flux difference| x sqrt(ivar of SECOND)\n"
      "  ivar ratio - 1    |ivar / ivar of SECOND - 1|\n"
      "  resolution        |R difference|, the largest of a bin (R peaks at about 0.5)\n"
      "  chi2pix, pixmask fraction, model   |difference| / (1 + |value of SECOND|)\n"
      "and then the mask bits that differ. Exit status: 0 if all bounds are kept, 1 if\n"
      "one is passed or the frames are of other shapes or not finite.\n\n"
      "Example: specex compare frame-r0.fits older/frame-r0.fits --max-pull 0.003");
  auto options = std::make_shared<CompareOptions>();
  command->add_option("FIRST", options->frame, "Frame file")->type_name("")->required();
  command->add_option("SECOND", options->reference, "Frame file to compare with")
      ->type_name("")
      ->required();
  command->add_option("--max-pull", options->max_pull, "Bound on the flux, in sigmas");
  command->add_option("--max-ivar", options->max_ivar, "Bound on ivar ratio - 1");
  command->add_option("--max-resolution", options->max_resolution,
                      "Bound on the resolution");
  command->add_option("--max-chi2pix", options->max_chi2pix, "Bound on chi2pix");
  command->add_option("--max-pixmask-difference", options->max_pixmask_difference,
                      "Bound on the pixmask fraction");
  command->add_option("--max-model", options->max_model, "Bound on the model image");
  command
      ->add_option("--model", options->model,
                   "Model image of FIRST (extract --model), if not in its file")
      ->type_name("FILE");
  command
      ->add_option("--max-pixmask", options->max_pixmask,
                   "Leave out bins of which SECOND has more on bad pixels")
      ->capture_default_str();
  command
      ->add_option("--min-ivar", options->min_ivar,
                   "Leave out bins whose ivar in SECOND is not above")
      ->capture_default_str();
  command
      ->add_option("--max-lost", options->max_lost,
                   "Bound on the bins that only SECOND calls good")
      ->capture_default_str();
  command->callback([options] { run_compare(*options); });
}

}  // namespace specex_cli
