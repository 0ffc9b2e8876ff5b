// SPDX-License-Identifier: BSD-3-Clause
#include "exposure/memory_budget.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <string>

#include "input_file.hpp"

namespace specex_cli {
namespace {

// DESI's, for frames whose wavelengths are those of the camera, which is not known before
// the image is read.
constexpr double camera_wavestep = 0.8;  // Angstrom

constexpr int64_t mebibyte = int64_t{1} << 20;

// Bins of a frame, or more.
int64_t most_bins(const ExtractionSettings &settings, const specex_psf_info &psf) {
  if (settings.wavelengths) return settings.wavelengths->grid().nwave;
  return static_cast<int64_t>((psf.wavemax - psf.wavemin) / camera_wavestep) + 1;
}

constexpr int64_t unlimited = std::numeric_limits<int64_t>::max();

// The number behind a word at the start of a line of a file, or in a file of one word.
int64_t number_in(const std::string &path, const std::string &word) {
  std::ifstream file(path);
  std::string first;
  int64_t value = 0;
  if (word.empty()) return file >> value ? value : unlimited;
  for (std::string line; file >> first; std::getline(file, line))
    if (first == word && file >> value) return value;
  return unlimited;
}

// Of a control group of version 2, "max" where it has no limit.
int64_t room_in_group(const std::string &group) {
  const std::string folder = "/sys/fs/cgroup" + group;
  const int64_t limit = number_in(folder + "/memory.max", "");
  if (limit == unlimited) return unlimited;
  const int64_t used = number_in(folder + "/memory.current", "");
  const int64_t cache = number_in(folder + "/memory.stat", "file");
  if (used == unlimited) return limit;
  return std::max<int64_t>(0, limit - used + (cache == unlimited ? 0 : cache));
}

// The control group of this process; "" is the root.
std::string own_group() {
  std::ifstream file("/proc/self/cgroup");
  std::string line;
  while (std::getline(file, line))
    if (line.starts_with("0::/")) return line.size() > 4 ? line.substr(3) : "";
  return "";
}

}  // namespace

MemoryBudget::Share MemoryBudget::take(int64_t bytes) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock,
                [&] { return stopped_ || taken_ == 0 || bytes <= bytes_ - taken_; });
  if (stopped_) return {};
  taken_ += bytes;
  return {*this, bytes};
}

void MemoryBudget::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

void MemoryBudget::give_back(int64_t bytes) {
  const std::lock_guard lock(mutex_);
  taken_ -= bytes;
  changed_.notify_all();
}

int64_t memory_of_frame(const ExtractionSettings &settings, const FrameOutput &output,
                        const specex_psf_info &psf) {
  const int64_t image = expanded_size_of(settings.image_path);
  const int64_t file =  // and what it expands to; others do not stay in memory
      is_compressed(settings.image_path) ? size_of(settings.image_path) + image : 0;
  const int64_t model = settings.model ? image : 0;
  const int64_t fibres = settings.nspec.value_or(psf.nspec);
  const int64_t values = fibres * most_bins(settings, psf) * (5 + psf.ndiag);
  const int64_t frame = 8 * values;
  const int64_t written = (output.float64 ? 8 : 4) * values + model;
  const int64_t compressed = output.path.ends_with(".gz") ? 2 * written : 0;
  const int64_t while_reading = file + image;
  const int64_t while_writing = image + frame + model + compressed;
  return std::max(while_reading, while_writing);
}

int64_t memory_of_program(int threads) {
  return (96 + 160 * int64_t{threads}) * mebibyte;
}

int64_t available_memory() {
  const int64_t machine = number_in("/proc/meminfo", "MemAvailable:");
  int64_t least = machine == unlimited ? unlimited : machine * 1024;
  for (const std::string &group : {std::string(), own_group()})
    least = std::min(least, room_in_group(group));
  const char *job = std::getenv("SLURM_MEM_PER_NODE");  // MiB
  const int64_t of_job = job ? std::atoll(job) * mebibyte : 0;
  return of_job > 0 ? std::min(least, of_job) : least;
}

}  // namespace specex_cli
