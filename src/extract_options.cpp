// SPDX-License-Identifier: BSD-3-Clause
#include "extract_options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <map>

#include "log.hpp"

namespace specex_cli {
namespace {

const std::map<std::string, int32_t> backends = {{"auto", SPECEX_BACKEND_AUTO},
                                                 {"cpu", SPECEX_BACKEND_CPU},
                                                 {"cuda", SPECEX_BACKEND_CUDA},
                                                 {"reference", SPECEX_BACKEND_REFERENCE}};
const std::map<std::string, int32_t> decorrelations = {
    {"signal", SPECEX_DECORRELATE_SIGNAL}, {"noise", SPECEX_DECORRELATE_NOISE}};

// Decimal or, with 0x, hexadecimal.
int64_t parse_badmask(const std::string &value) {
  const bool hexadecimal = value.rfind("0x", 0) == 0 || value.rfind("0X", 0) == 0;
  char *end = nullptr;
  errno = 0;
  const long long bits = std::strtoll(value.c_str(), &end, hexadecimal ? 16 : 10);
  if (value.empty() || *end != '\0' || errno != 0 || bits < 0)
    throw Failure(
        exit_configuration,
        text("--badmask must be a number like 767 or 0x2ff, not %s", value.c_str()));
  return bits;
}

std::string to_bytes(std::string &size) {
  const std::map<std::string, double> units = {
      {"K", 1e3}, {"M", 1e6}, {"", 1e6}, {"G", 1e9}, {"T", 1e12}};
  char *end = nullptr;
  const double number = std::strtod(size.c_str(), &end);
  std::string letter = end;
  std::transform(letter.begin(), letter.end(), letter.begin(), ::toupper);
  const auto unit = units.find(letter);
  const double bytes = unit == units.end() ? -1.0 : number * unit->second;
  if (end == size.c_str() || !(bytes >= 0.0 && bytes < 1e18))
    return "must be a size like 800M or 1.5G, not " + size;
  size = std::to_string(std::llround(bytes));
  return "";
}

// "" where it is not set.
std::string environment(const char *variable) {
  const char *value = std::getenv(variable);
  return value == nullptr ? "" : value;
}

// Batch systems and DESI's pipeline say what may be used in the environment.
void apply_environment(specex_options &options) {
  const std::string no_gpu = environment("DESI_NO_GPU");
  if (options.backend == SPECEX_BACKEND_AUTO && !no_gpu.empty() && no_gpu != "0")
    options.backend = SPECEX_BACKEND_CPU;
  if (options.num_threads == 0 && environment("OMP_NUM_THREADS").empty())
    options.num_threads =
        std::max(0, std::atoi(environment("SLURM_CPUS_PER_TASK").c_str()));
}

// What of the frame's file is written, and how.
void add_form_options(CLI::App &command, FrameOptions &options) {
  command.option_defaults()->group("Output");
  command.add_flag("--float64", options.output.float64,
                   "Write arrays in double precision, not single");
  command.add_flag("--no-scores", options.no_scores, "Leave out the SCORES table");
}

void add_range_options(CLI::App &command, FrameOptions &options) {
  command.option_defaults()->group("What to extract");
  command
      .add_option("-w,--wavelength", options.wavelengths,
                  "wavemin,wavemax,wavestep in Angstrom [the camera's:\n"
                  "b 3600,5800,0.8, r 5760,7620,0.8, z 7520,9824,0.8]")
      ->type_name("RANGE");
  command.add_option("-s,--specmin", options.settings.specmin, "First fibre")
      ->capture_default_str();
  command.add_option("-n,--nspec", options.settings.nspec,
                     "Number of fibres [all of the PSF from --specmin]");
  command.add_flag("--barycentric-correction", options.settings.barycentric,
                   "Wavelengths of the solar system's barycentre");
  command
      .add_option("--badmask", options.badmask,
                  "Bits of MASK that make a pixel bad, decimal or 0x...")
      ->type_name("BITS")
      ->capture_default_str();
}

void add_division_options(CLI::App &command, specex_options &options) {
  command.option_defaults()->group("Division of the work");
  command.add_option("--bundlesize", options.bundlesize, "Fibres a bundle")
      ->capture_default_str();
  command.add_option(
      "--nsubbundles", options.nsubbundles,
      "Sub-bundles a bundle [automatic: no division; 5 with --compat gpu_specter]");
  command.add_option(
      "--nwavestep", options.nwavestep,
      "Bins a patch [automatic: no division; 50 with --compat gpu_specter]");
  command.add_option("--wavepad", options.wavepad, "Extra bins on each side of a patch")
      ->capture_default_str();
  command
      .add_option("--wavepad-frac", options.wavepad_frac,
                  "More extra bins, as a fraction of --wavepad")
      ->capture_default_str();
  command
      .add_option("--pixpad-frac", options.pixpad_frac,
                  "Fraction of the extra bins' pixel rows to use")
      ->capture_default_str();
}

void add_numeric_options(CLI::App &command, FrameOptions &options) {
  command.option_defaults()->group("Numbers");
  specex_options &own = options.settings.options;
  command
      .add_option("-r,--regularize", own.regularize,
                  "Regularisation: its square is added to the diagonal")
      ->capture_default_str();
  command.add_option("--psferr", own.psferr,
                     "Relative error of the PSF, for chi2pix [the PSF's, else 0.01]");
  command
      .add_option("--decorrelate", options.decorrelate,
                  "signal, or noise (between fibres too)")
      ->check(CLI::IsMember({"signal", "noise"}))
      ->capture_default_str();
  command
      .add_option("--compat", options.compat,
                  "none, or gpu_specter: its rules to the letter")
      ->check(CLI::IsMember({"none", "gpu_specter"}))
      ->capture_default_str();
  command.add_flag("--strict", options.strict,
                   "Pixels that are not finite, or have a negative ivar, are an error,\n"
                   "not masked");
}

}  // namespace

CLI::Validator as_bytes() { return CLI::Validator(to_bytes, ""); }

void add_file_options(CLI::App &command, FrameOptions &options) {
  command.option_defaults()->group("Files");
  command.add_option("-i,--input", options.settings.image_path, "Preproc image file")
      ->type_name("FILE")
      ->required();
  command.add_option("-p,--psf", options.settings.psf_path, "PSF file")
      ->type_name("FILE")
      ->required();
  command
      .add_option("-o,--output", options.output.path,
                  "Frame file to write; .gz is compressed")
      ->type_name("FILE")
      ->required();
  command
      .add_option("-m,--model", options.output.model_path, "Model image file to write")
      ->type_name("FILE");
  command
      .add_option("-f,--fibermap", options.settings.fibermap_path,
                  "File whose FIBERMAP replaces the image's")
      ->type_name("FILE");
}

void add_extraction_options(CLI::App &command, FrameOptions &options) {
  add_range_options(command, options);
  add_division_options(command, options.settings.options);
  add_numeric_options(command, options);
  add_form_options(command, options);
}

void add_run_options(CLI::App &command, RunOptions &options) {
  command.option_defaults()->group("Run");
  command.add_option("--backend", options.backend, "auto, cpu, cuda or reference")
      ->check(CLI::IsMember({"auto", "cpu", "cuda", "reference"}))
      ->capture_default_str();
  command
      .add_option("--threads", options.threads,
                  "Threads; 0: $OMP_NUM_THREADS, else all cores")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command
      .add_option("--device", options.device,
                  "First GPU to use, as $CUDA_VISIBLE_DEVICES numbers them")
      ->check(CLI::Range(0, 1023))
      ->capture_default_str();
  command
      .add_option("--num-devices", options.num_devices, "GPUs to use, from --device on")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command
      .add_option("--device-memory", options.device_memory,
                  "Memory to use of each GPU at most: 800M, 1.5G [what is free]")
      ->transform(as_bytes())
      ->type_name("SIZE");
  command
      .add_option("--timing", options.timing,
                  "JSON file to write with the times of each step")
      ->type_name("FILE");
  command
      .add_option("--loglevel", options.log_level,
                  "debug, info, warning or error [$DESI_LOGLEVEL, else info]")
      ->check(CLI::IsMember({"debug", "info", "warning", "warn", "error"}));
}

void interpret(FrameOptions &options, const RunOptions &run) {
  ExtractionSettings &settings = options.settings;
  if (!options.wavelengths.empty())
    settings.wavelengths = parse_wavelengths(options.wavelengths);
  settings.badmask = parse_badmask(options.badmask);
  settings.model = !options.output.model_path.empty();
  settings.options.backend = backends.at(run.backend);
  settings.options.num_threads = run.threads;
  settings.options.device = run.device;
  settings.options.num_devices = run.num_devices;
  settings.options.device_memory = run.device_memory;
  settings.options.decorrelate = decorrelations.at(options.decorrelate);
  settings.options.strict = options.strict;
  apply_environment(settings.options);
  choose_compat(settings.options, options.compat);
  options.output.scores = !options.no_scores;
}

}  // namespace specex_cli
