// SPDX-License-Identifier: BSD-3-Clause
#include "exposure/frame_job.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <map>
#include <numeric>

#include "input_file.hpp"
#include "log.hpp"

namespace specex_cli {
namespace {

namespace fs = std::filesystem;

constexpr int32_t desi_fibers = 500;

// Of preproc-r0-00051060.fits: "r0". "" for names of another form.
std::string camera_in_name(const std::string &path) {
  const std::string name = fs::path(path).filename().string();
  for (size_t at = 0; at + 3 < name.size(); ++at)
    if (name[at] == '-' && std::string("brz").find(name[at + 1]) != std::string::npos &&
        name[at + 2] >= '0' && name[at + 2] <= '9' &&
        (name[at + 3] == '-' || name[at + 3] == '.'))
      return name.substr(at + 1, 2);
  return "";
}

double expected_bins(const ExtractionSettings &settings) {
  if (settings.wavelengths)
    return static_cast<double>(settings.wavelengths->grid().nwave);
  const std::string camera = camera_in_name(settings.image_path);
  specex_psf_info all{};
  all.wavemax = 1e6;  // Angstrom
  return static_cast<double>(
      camera_wavelengths(camera.empty() ? "r0" : camera, all).grid().nwave);
}

FrameOptions options_of(const ManifestRow &row, FrameOptions options) {
  CLI::App parser;
  parser.set_help_flag();
  add_file_options(parser, options);
  add_extraction_options(parser, options);
  std::vector<std::string> arguments;  // in reverse, as parse wants them
  for (const auto &[name, value] : row.values) {
    if (name.empty() || parser.get_option_no_throw("--" + name) == nullptr)
      throw Failure(exit_configuration, row.where + ": the column '" + name +
                                            "' is no option of specex extract");
    if (!value.empty())
      arguments.insert(arguments.begin(), text("--%s=%s", name.c_str(), value.c_str()));
  }
  try {
    parser.parse(arguments);
  } catch (const CLI::ParseError &error) {
    throw Failure(exit_configuration, row.where + ": " + error.what());
  }
  return options;
}

FrameJob make_job(const ManifestRow &row, const FrameOptions &common,
                  const RunOptions &run) {
  FrameOptions options = options_of(row, common);
  try {
    interpret(options, run);
  } catch (const Failure &failure) {
    throw Failure(failure.exit_code(), row.where + ": " + failure.what());
  }
  FrameJob job{fs::path(options.output.path).filename().string(),
               std::move(options.settings), std::move(options.output), 0};
  job.cost = job.settings.nspec.value_or(desi_fibers) * expected_bins(job.settings);
  return job;
}

// The same for all ways to write a path.
std::string canonical(const std::string &path) {
  std::error_code error;
  const fs::path result = fs::weakly_canonical(fs::absolute(path), error);
  return error ? path : result.string();
}

void check_files(const std::vector<FrameJob> &jobs) {
  std::map<std::string, std::string> outputs;  // canonical, and as given
  for (const FrameJob &job : jobs)
    for (const std::string &path : {job.output.path, job.output.model_path}) {
      if (path.empty()) continue;
      const auto [other, is_new] = outputs.emplace(canonical(path), path);
      if (!is_new)
        throw Failure(exit_configuration,
                      text("the outputs '%s' and '%s' are the same file",
                           other->second.c_str(), path.c_str()));
    }
  const auto is_output = [&](const std::string &path) {
    return outputs.contains(canonical(path));
  };
  for (const FrameJob &job : jobs)
    for (const std::string &path :
         {job.settings.image_path, job.settings.psf_path, job.settings.fibermap_path})
      if (!path.empty() && (is_output(path) || is_output(file_to_read(path))))
        throw Failure(exit_configuration,
                      text("'%s' would be overwritten by an output", path.c_str()));
}

}  // namespace

std::vector<FrameJob> make_jobs(const std::vector<ManifestRow> &rows,
                                const FrameOptions &options, const RunOptions &run) {
  std::vector<FrameJob> jobs;
  for (const ManifestRow &row : rows) jobs.push_back(make_job(row, options, run));
  check_files(jobs);
  return jobs;
}

std::vector<std::string> outputs_of(const std::vector<FrameJob> &jobs) {
  std::vector<std::string> outputs;
  for (const FrameJob &job : jobs)
    for (const std::string &path : {job.output.path, job.output.model_path})
      if (!path.empty()) outputs.push_back(path);
  return outputs;
}

std::vector<size_t> longest_first(const std::vector<FrameJob> &jobs) {
  std::vector<int64_t> bytes;
  for (const FrameJob &job : jobs) bytes.push_back(size_of(job.settings.image_path));
  std::vector<size_t> order(jobs.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return jobs[a].cost != jobs[b].cost ? jobs[a].cost > jobs[b].cost
                                        : bytes[a] > bytes[b];
  });
  return order;
}

}  // namespace specex_cli
