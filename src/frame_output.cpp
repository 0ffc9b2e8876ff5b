// SPDX-License-Identifier: BSD-3-Clause
#include "frame_output.hpp"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <optional>
#include <vector>

#include "log.hpp"
#include "outputs.hpp"
#include "progress.hpp"
#include "request.hpp"

namespace specex_cli {
namespace {

constexpr int fibers_a_spectrograph = 500;

// The end of a path, where a whole one does not fit into a header key.
std::string shortened(const std::string &path) {
  constexpr size_t longest = 60;
  return path.size() <= longest ? path : "..." + path.substr(path.size() - longest + 3);
}

// The camera's digit is the number of its spectrograph: r3 has fibres 1500 to 1999.
int first_fiber_number(const Extraction &extraction) {
  const std::string &camera = extraction.camera();
  const int specmin = extraction.frame().view().first_fiber;
  if (camera.size() < 2 || !std::isdigit(static_cast<unsigned char>(camera[1])))
    return specmin;
  return (camera[1] - '0') * fibers_a_spectrograph + specmin;
}

const char *compat_name(const specex_options &options) {
  return options.compat == SPECEX_COMPAT_GPU_SPECTER ? "gpu_specter" : "none";
}

const char *decorrelate_name(const specex_options &options) {
  return options.decorrelate == SPECEX_DECORRELATE_NOISE ? "noise" : "signal";
}

// Programs that worked on the input are listed as DEPNAM00, DEPNAM01, ...: ours is next.
void add_dependency(Cards &cards, const FitsFile &image) {
  for (int number = 0; number < 100; ++number) {
    const std::string name = text("DEPNAM%02d", number);
    const std::string present = image.key(name.c_str());
    if (!present.empty() && present != "libspecex") continue;
    cards.add(name.c_str(), "libspecex", "name of a program this was made with");
    cards.add(text("DEPVER%02d", number).c_str(), specex_version(), "its version");
    return;
  }
}

specex_fits_output output_of(const Extraction &extraction, const FrameOutput &output,
                             const Cards &cards) {
  specex_fits_output result{};
  result.struct_size = sizeof result;
  result.input = extraction.image().get();
  result.cards = cards.data();
  result.ncard = cards.size();
  result.float64 = output.float64;
  result.scores = output.scores;
  if (extraction.fibermap()) result.fibermap = extraction.fibermap()->get();
  return result;
}

// Bytes of the arrays of a frame, which is nearly all of its file.
int64_t frame_bytes(const specex_frame &frame, bool float64) {
  const int64_t bins = frame.nspec * frame.nwave;
  const int64_t real = float64 ? 8 : 4;
  return bins * ((4 + frame.ndiag) * real + 4);
}

// The inverse variances of an image as double.
std::vector<double> ivar_of(const specex_image &image) {
  std::vector<double> result;
  result.reserve(static_cast<size_t>(image.nx * image.ny));
  for (int64_t y = 0; y < image.ny; ++y) {
    for (int64_t x = 0; x < image.nx; ++x) {
      const int64_t at = y * image.ivar_stride + x;
      result.push_back(image.type == SPECEX_FLOAT64
                           ? static_cast<const double *>(image.ivar)[at]
                           : double{static_cast<const float *>(image.ivar)[at]});
    }
  }
  return result;
}

// The model is an image like the one it explains, with the ivar that was used: it can be
// read, compared and extracted as any other.
void write_model(const Context &context, const Extraction &extraction,
                 const std::string &path, const specex_fits_output &output) {
  const specex_frame &frame = extraction.frame().view();
  specex_image model{};
  model.struct_size = sizeof model;
  model.type = SPECEX_FLOAT64;
  model.nx = frame.model_nx;
  model.ny = frame.model_ny;
  model.pixels = frame.model;
  model.pixels_stride = frame.model_nx;
  const std::vector<double> ivar = ivar_of(extraction.image().image());
  model.ivar = ivar.data();
  model.ivar_stride = frame.model_nx;
  check(specex_fits_write_image(context.get(), path.c_str(), &model, nullptr, &output),
        context.get());
}

}  // namespace

void check_output_names(const FrameOutput &output) {
  check_fits_output(output.path);
  if (!output.model_path.empty()) check_fits_output(output.model_path);
}

void check_frame_output(const Extraction &extraction, const FrameOutput &output) {
  const specex_frame &frame = extraction.frame().view();
  const int64_t bytes = frame_bytes(frame, output.float64);
  const int64_t model_bytes =
      2 * frame.model_nx * frame.model_ny * (output.float64 ? 8 : 4);
  for (const std::string &path : {output.path, output.model_path}) {
    if (path.empty()) continue;
    const ExtractionSettings &settings = extraction.settings();
    for (const std::string &input :
         {settings.image_path, settings.psf_path, settings.fibermap_path})
      check_differ(input, path);
    check_room(path, path == output.path ? bytes : model_bytes);
  }
  check_apart(output.path, output.model_path);
}

void write_frame_output(const Context &context, const Extraction &extraction,
                        const FrameOutput &output) {
  throw_if_stopped();
  const auto start = std::chrono::steady_clock::now();
  const Cards cards = provenance(extraction, output);
  const specex_fits_output common = output_of(extraction, output, cards);
  std::optional<PendingFile> model;
  if (!output.model_path.empty()) {
    model.emplace(output.model_path);
    write_model(context, extraction, model->temporary_path(), common);
    log_io_time("write", output.model_path, start);
    throw_if_stopped();
  }
  const auto frame_start = std::chrono::steady_clock::now();
  const specex_frame &frame = extraction.frame().view();
  check(specex_fits_write_frame(context.get(), output.path.c_str(), &frame, &common),
        context.get());
  if (model) model->keep();
  log_io_time("write", output.path, frame_start);
}

Cards provenance(const Extraction &extraction, const FrameOutput &output) {
  const specex_frame &frame = extraction.frame().view();
  const ExtractionSettings &settings = extraction.settings();
  const specex_options &options = settings.options;
  const WavelengthRange &wavelengths = extraction.wavelengths();
  Cards cards;
  cards.add("WAVEMIN", wavelengths.wavemin, "[Angstrom] first wavelength");
  cards.add("WAVEMAX", wavelengths.wavemax, "[Angstrom] last wavelength");
  cards.add("WAVESTEP", wavelengths.wavestep, "[Angstrom] step");
  cards.add("SPECTER", std::string("libspecex ") + specex_version(),
            "extraction program");
  cards.add("IN_PSF", shortened(settings.psf_path), "input PSF");
  cards.add("IN_IMG", shortened(settings.image_path), "input image");
  const std::string original_psf = extraction.psf()->file.key("IN_PSF");
  if (!original_psf.empty())
    cards.add("ORIG_PSF", original_psf, "PSF that the input PSF was made from");
  if (extraction.barycentric_factor() != 1)
    cards.add("HELIOCOR", extraction.barycentric_factor(),
              "barycentric factor of the wavelengths");
  cards.add("FIBERMIN", first_fiber_number(extraction), "number of the first fibre");
  add_dependency(cards, extraction.image());

  cards.add("SPXASKED", request_digest(extraction.identity(), settings, output),
            "digest of inputs and options");
  cards.add("SPXRUN", extraction.ran_on(), "what it ran on");
  cards.add("SPXNPAT", frame.npatch, "patches");
  cards.add("SPXNFAIL", frame.npatch_failed, "patches that failed and are masked");
  cards.add("SPXNBAD", frame.nbadpixel, "pixels masked: not finite or ivar < 0");
  cards.add("OPTSPMIN", frame.first_fiber, "--specmin");
  cards.add("OPTCOMPA", compat_name(options), "--compat");
  cards.add("OPTDECOR", decorrelate_name(options), "--decorrelate");
  cards.add("OPTBUNSZ", options.bundlesize, "--bundlesize");
  const Division division = extraction.division();
  cards.add("OPTNSUBB", division.nsubbundles, "--nsubbundles, or the library's choice");
  cards.add("OPTNWSTP", division.nwavestep, "--nwavestep, or the library's choice");
  cards.add("OPTWPAD", options.wavepad, "--wavepad");
  cards.add("OPTWPADF", options.wavepad_frac, "--wavepad-frac");
  cards.add("OPTPPADF", options.pixpad_frac, "--pixpad-frac");
  cards.add("OPTREGUL", options.regularize, "--regularize");
  cards.add("OPTPSFER", extraction.psferr(), "--psferr, or the PSF's");
  cards.add("OPTBADMK", settings.badmask, "--badmask");
  cards.add("OPTBARY", settings.barycentric, "--barycentric-correction");
  cards.add("OPTSTRIC", options.strict != 0, "--strict");
  cards.add("OPTFLT64", output.float64, "--float64");
  cards.add("OPTSCORE", output.scores, "without --no-scores");
  return cards;
}

}  // namespace specex_cli
