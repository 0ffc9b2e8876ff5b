// SPDX-License-Identifier: BSD-3-Clause
#include "request.hpp"

#include <cstdlib>
#include <filesystem>

#include "input_file.hpp"
#include "log.hpp"
#include "progress.hpp"

namespace specex_cli {
namespace {

// FNV-1a: told apart are requests, not adversaries.
uint64_t hash(const std::string &bytes) {
  uint64_t result = 0xcbf29ce484222325;
  for (const char byte : bytes) {
    result ^= static_cast<unsigned char>(byte);
    result *= 0x100000001b3;
  }
  return result;
}

// Whether a file that was read is one of ours, with this digest.
bool answers(const FitsFile &file, const std::string &digest, const std::string &path) {
  if (!file.key("DATASUM").empty() && file.key("SPXASKED") == digest) return true;
  log_info("'" + path + "' is made anew: its inputs or options were others");
  return false;
}

}  // namespace

std::string identity_of_inputs(const ExtractionSettings &settings,
                               const std::string &psf_identity) {
  return identity_of(settings.image_path) + ", " + psf_identity + ", " +
         identity_of(settings.fibermap_path);
}

// What changes the result: the backend does, if within bounds, but not how many threads
// and which GPUs it has.
std::string request_digest(const std::string &identity,
                           const ExtractionSettings &settings,
                           const FrameOutput &output) {
  const specex_options &options = settings.options;
  const WavelengthRange range = settings.wavelengths.value_or(WavelengthRange{});
  const std::string request =
      specex_version() + (", " + identity) +
      text(", %.17g %.17g %.17g, %d %d, %lld, %d", range.wavemin, range.wavemax,
           range.wavestep, settings.specmin, settings.nspec.value_or(0),
           static_cast<long long>(settings.badmask), settings.barycentric) +
      text(", %d %d %d, %d %d %d %d", options.backend, options.compat,
           options.decorrelate, options.bundlesize, options.nsubbundles,
           options.nwavestep, options.wavepad) +
      text(", %.17g %.17g %.17g %.17g, %d, %d %d", options.wavepad_frac,
           options.pixpad_frac, options.regularize, options.psferr, options.strict != 0,
           output.float64, output.scores);
  return text("%016llx", static_cast<unsigned long long>(hash(request)));
}

std::optional<std::string> find_finished(const Context &context,
                                         const ExtractionSettings &settings,
                                         const FrameOutput &output) {
  std::error_code error;
  for (const std::string &path : {output.path, output.model_path})
    if (!path.empty() && !std::filesystem::exists(path, error)) return std::nullopt;
  const std::string digest = request_digest(
      identity_of_inputs(settings, identity_of(settings.psf_path)), settings, output);
  try {
    const FitsFile file = FitsFile::frame(context, output.path);
    if (!answers(file, digest, output.path)) return std::nullopt;
    if (!output.model_path.empty() &&
        !answers(FitsFile::image(context, output.model_path), digest, output.model_path))
      return std::nullopt;
    specex_frame frame = file.frame();
    frame.npatch = std::atoll(file.key("SPXNPAT").c_str());
    frame.npatch_failed = std::atoll(file.key("SPXNFAIL").c_str());
    return shortcoming_of(frame);
  } catch (const Failure &failure) {
    throw_if_stopped();
    log_info(text("%s; it is made anew", failure.what()));
    return std::nullopt;
  }
}

}  // namespace specex_cli
