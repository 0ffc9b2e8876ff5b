// SPDX-License-Identifier: BSD-3-Clause
//
// specex bench: how fast this machine extracts, stage by stage, and how that grows with
// the problem.
#include <algorithm>
#include <memory>

#include "bench_report.hpp"
#include "extract_options.hpp"
#include "extraction.hpp"
#include "log.hpp"
#include "outputs.hpp"
#include "progress.hpp"
#include "subcommands.hpp"

namespace specex_cli {
namespace {

struct BenchOptions {
  BenchFiles files;
  BenchSize size;
  specex_options options = default_options();
  std::string compat = "none";
  int repeats = 5;
  bool scaling = false;
  std::string json;
};

// What is varied, with all else as small as shows it. Sizes above those asked for are
// left out.
class Scaling {
 public:
  explicit Scaling(const BenchOptions &options) : options_(options) {}

  Json run() {
    constexpr int32_t few_fibers = 25;
    constexpr int32_t few_bins = 400;  // 8 patches one after the other
    constexpr int32_t some_bins = 1000;
    for (const int32_t fibers : {25, 50, 100, 250, 500, 1000, 2500, 5000})
      add("fibers", {fibers, few_bins}, 1);
    for (const int32_t bins : {500, 1000, 2500, 5000, 10000})
      add("bins", {few_fibers, bins}, 1);
    for (const auto &[hsizex, hsizey] :
         {std::pair{4, 3}, std::pair{6, 4}, std::pair{8, 5}, std::pair{10, 7},
          std::pair{12, 9}})
      add("spot", {few_fibers, some_bins, hsizex, hsizey}, 1);
    for (const double spacing : {fiber_spacing, 6.5, 6.0, 5.5, 5.0})
      add("spacing", {.fibers = few_fibers, .bins = some_bins, .spacing = spacing}, 1);
    const int threads = std::stoi(Context(options_.options).described("threads"));
    for (int count = 1;; count = std::min(2 * count, threads)) {
      add("threads", {std::min(4 * few_fibers, options_.size.fibers), some_bins}, count);
      if (count == threads) return json_;
    }
  }

 private:
  void add(const char *series, BenchSize size, int threads) {
    if (size.fibers > options_.size.fibers || size.bins > options_.size.bins) return;
    specex_options options = options_.options;
    options.num_threads = threads;
    const ScalingPoint point{series, size.spacing,
                             measure(BenchProblem(size), options, options_.repeats)};
    const bool begins = !first_ || first_->series != series;
    if (begins) first_ = point;
    print_scaling(begins ? *first_ : point, *first_);
    json_.push_back(scaling_json(point));
  }

  const BenchOptions &options_;
  std::optional<ScalingPoint> first_;  // of this series
  Json json_ = Json::array();
};

void run_bench(const BenchOptions &options) {
  set_log_level("", SPECEX_LOG_WARNING);
  stop_on_signals();
  if (!options.json.empty()) check_output(options.json);

  std::unique_ptr<BenchProblem> problem;
  if (!options.files.psf.empty())
    problem = std::make_unique<BenchProblem>(options.files);
  else if (!options.scaling)
    problem = std::make_unique<BenchProblem>(options.size);

  const MachinePeak peak = measure_peak();
  const std::string runs_on = Context(options.options).description();
  print_machine(runs_on, peak);
  Json json = machine_json(runs_on, peak);
  if (problem) {
    const Measurement measured = measure(*problem, options.options, options.repeats);
    print_measurement(measured, peak);
    json["extraction"] = measurement_json(measured, peak);
  } else {
    json["scaling"] = Scaling(options).run();
  }
  if (!options.json.empty()) write_json(options.json, json);
}

}  // namespace

void add_bench(CLI::App &app) {
  CLI::App *command =
      app.add_subcommand("bench", "Measure how fast this machine extracts");
  command->footer(
      "Without files an image and its PSF are made up in memory. Flops and bytes are\n"
      "counted from the problem's sizes, not measured; what a stage reaches is given as\n"
      "a share of what one core can do, measured before. Stages are those of the "
      "fastest\n"
      "extraction, summed over threads.\n\n"
      "Examples\n"
      "  specex bench --threads 1\n"
      "  specex bench -i preproc-r0.fits -p psf-r0.fits --compat gpu_specter\n"
      "  specex bench --scaling --json scaling.json");
  auto options = std::make_shared<BenchOptions>();
  BenchFiles &files = options->files;
  BenchSize &size = options->size;

  command->option_defaults()->group("An image from a file");
  CLI::Option *image =
      command->add_option("-i,--input", files.image, "Preproc image file")
          ->type_name("FILE");
  CLI::Option *psf =
      command->add_option("-p,--psf", files.psf, "PSF file")->type_name("FILE");
  image->needs(psf);
  psf->needs(image);
  for (CLI::Option *option :
       {command->add_option("-w,--wavelength", files.wavelengths,
                            "wavemin,wavemax,wavestep in Angstrom [the camera's]"),
        command->add_option("-s,--specmin", files.specmin, "First fibre"),
        command->add_option("-n,--nspec", files.nspec,
                            "Number of fibres [all of the PSF from --specmin]")})
    option->needs(image);

  command->option_defaults()->group("An image that is made up");
  constexpr int most = 100000;
  CLI::Option *fibers =
      command->add_option("--fibers", size.fibers, "Fibres")->check(CLI::Range(1, most));
  CLI::Option *bins =
      command->add_option("--bins", size.bins, "Bins of 0.8 Angstrom, 1.5 rows each")
          ->check(CLI::Range(1, most));
  CLI::Option *hsizex =
      command->add_option("--hsizex", size.hsizex, "Half the width of a spot, pixels");
  CLI::Option *hsizey =
      command->add_option("--hsizey", size.hsizey, "Half the height of a spot, pixels");
  CLI::Option *spacing =
      command
          ->add_option("--spacing", size.spacing,
                       "From a fibre to the next of its bundle, pixels")
          ->check(CLI::Range(2.0, fiber_spacing));
  CLI::Option *scaling = command->add_flag(
      "--scaling", options->scaling,
      "Vary fibres, bins, spot, spacing and threads; --fibers and --bins are\n"
      "then the most that is tried [5000 and 10000]");
  for (CLI::Option *option : {fibers, bins, hsizex, hsizey, spacing})
    option->capture_default_str()->excludes(image);
  for (CLI::Option *option : {hsizex, hsizey}) option->check(CLI::Range(1, 100));
  scaling->excludes(image)->excludes(hsizex)->excludes(hsizey)->excludes(spacing);

  command->option_defaults()->group("How");
  command
      ->add_option("--compat", options->compat,
                   "none, or gpu_specter: its rules to the letter")
      ->check(CLI::IsMember({"none", "gpu_specter"}))
      ->capture_default_str();
  command->add_option(
      "--nsubbundles", options->options.nsubbundles,
      "Sub-bundles a bundle [automatic: no division; 5 with --compat gpu_specter]");
  command->add_option(
      "--nwavestep", options->options.nwavestep,
      "Bins a patch [automatic: no division; 50 with --compat gpu_specter]");
  command
      ->add_option("--threads", options->options.num_threads,
                   "Threads; 0: $OMP_NUM_THREADS, else all cores")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command
      ->add_option("--spot-memory", options->options.spot_memory,
                   "Memory for spots that the next extraction uses again")
      ->transform(as_bytes())
      ->type_name("SIZE");
  command
      ->add_option("--repeat", options->repeats,
                   "Extractions, of which the fastest counts")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_option("--json", options->json, "JSON file to write with all figures")
      ->type_name("FILE");
  command->callback([options, fibers, bins] {
    if (options->scaling && fibers->empty()) options->size.fibers = 5000;
    if (options->scaling && bins->empty()) options->size.bins = 10000;
    choose_compat(options->options, options->compat);
    run_bench(*options);
  });
}

}  // namespace specex_cli
