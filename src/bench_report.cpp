// SPDX-License-Identifier: BSD-3-Clause
#include "bench_report.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <numeric>
#include <thread>

#include "log.hpp"

namespace specex_cli {
namespace {

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  char date[16];
  std::strftime(date, sizeof date, "%Y-%m-%d", &local);
  return date;
}

// As the kernel calls it; "unknown" where it does not.
std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.rfind("model name", 0) == 0 && line.find(": ") != std::string::npos)
      return line.substr(line.find(": ") + 2);
  return "unknown";
}

double total(const Measurement &measured) {
  return std::accumulate(measured.stages.begin(), measured.stages.end(), 0.0);
}

Work total_work(const Measurement &measured) {
  Work all;
  for (const Work &work : measured.work) {
    all.flops += work.flops;
    all.bytes += work.bytes;
  }
  return all;
}

double nanoseconds_per_bin(const Measurement &measured) {
  return 1e9 * measured.least() / measured.bins();
}

void add_work(Json &json, const Work &work, double seconds, const MachinePeak &peak) {
  json["seconds"] = seconds;
  json["flops"] = work.flops;
  json["bytes"] = work.bytes;
  if (!(seconds > 0 && work.bytes > 0)) return;
  json["flops_per_s"] = work.flops / seconds;
  json["bytes_per_s"] = work.bytes / seconds;
  json["share_of_peak_flops"] = work.flops / seconds / peak.flops;
  json["share_of_peak_bandwidth"] = work.bytes / seconds / peak.bandwidth;
}

void print_row(const char *name, const Work &work, double seconds, double all,
               const MachinePeak &peak) {
  std::printf("%-12s %9.4f %6.1f %%", name, seconds, 100 * seconds / all);
  if (seconds > 0 && work.bytes > 0)
    std::printf(" %9.3f %8.2f %6.1f %% %9.3f %8.2f %6.1f %%", work.flops / 1e9,
                work.flops / seconds / 1e9, 100 * work.flops / seconds / peak.flops,
                work.bytes / 1e9, work.bytes / seconds / 1e9,
                100 * work.bytes / seconds / peak.bandwidth);
  std::printf("\n");
}

}  // namespace

Json machine_json(const std::string &runs_on, const MachinePeak &peak) {
  Json json;
  json["date"] = today();
  json["version"] = specex_version();
  json["runs_on"] = runs_on;
  json["processor"] = processor();
  json["cores"] = std::thread::hardware_concurrency();
  json["peak_flops_per_s"] = peak.flops;
  json["peak_bytes_per_s"] = peak.bandwidth;
  return json;
}

Json measurement_json(const Measurement &measured, const MachinePeak &peak) {
  Json json;
  json["fibers"] = measured.frame.nspec;
  json["bins"] = measured.frame.nwave;
  json["spot"] = {measured.psf.spot_nx, measured.psf.spot_ny};
  json["image"] = {measured.image_nx, measured.image_ny};
  json["threads"] = measured.threads;
  json["repeats"] = measured.seconds.size();
  json["seconds"] = measured.least();
  json["seconds_median"] = measured.median();
  json["ns_per_fiber_bin"] = nanoseconds_per_bin(measured);
  json["patches"] = measured.frame.npatch;
  json["patches_failed"] = measured.frame.npatch_failed;
  json["paths"] = {{"dense", measured.frame.npath_dense},
                   {"banded", measured.frame.npath_banded},
                   {"vector", measured.frame.npath_vector}};
  for (size_t stage = 0; stage < SPECEX_NSTAGE; ++stage)
    add_work(json["stages"][specex_stage_name(static_cast<int32_t>(stage))],
             measured.work[stage], measured.stages[stage], peak);
  add_work(json["all_stages"], total_work(measured), total(measured), peak);
  return json;
}

Json scaling_json(const ScalingPoint &point) {
  const Measurement &measured = point.measured;
  Json json;
  json["series"] = point.series;
  json["fibers"] = measured.frame.nspec;
  json["bins"] = measured.frame.nwave;
  json["spot"] = {measured.psf.spot_nx, measured.psf.spot_ny};
  json["spacing"] = point.spacing;
  json["threads"] = measured.threads;
  json["seconds"] = measured.least();
  json["ns_per_fiber_bin"] = nanoseconds_per_bin(measured);
  json["patches"] = measured.frame.npatch;
  json["patches_vector"] = measured.frame.npath_vector;
  return json;
}

void print_machine(const std::string &runs_on, const MachinePeak &peak) {
  std::printf(
      "%s, %s\n%s, %u cores; one core: %.1f Gflop/s (multiply-adds of doubles), %.1f "
      "GB/s (copy)\n\n",
      today().c_str(), runs_on.c_str(), processor().c_str(),
      std::thread::hardware_concurrency(), peak.flops / 1e9, peak.bandwidth / 1e9);
  std::fflush(stdout);
}

void print_measurement(const Measurement &measured, const MachinePeak &peak) {
  const specex_frame &frame = measured.frame;
  std::printf(
      "%d fibres x %lld bins, spots of %d x %d pixels, an image of %lld x %lld pixels\n\n"
      "%-12s %9s %8s %9s %8s %8s %9s %8s %8s\n",
      frame.nspec, static_cast<long long>(frame.nwave), measured.psf.spot_nx,
      measured.psf.spot_ny, static_cast<long long>(measured.image_nx),
      static_cast<long long>(measured.image_ny), "stage", "seconds", "share", "GFLOP",
      "Gflop/s", "of peak", "GB", "GB/s", "of copy");
  const double all = total(measured);
  for (size_t stage = 0; stage < SPECEX_NSTAGE; ++stage)
    print_row(specex_stage_name(static_cast<int32_t>(stage)), measured.work[stage],
              measured.stages[stage], all, peak);
  print_row("all", total_work(measured), all, all, peak);
  std::printf(
      "\n%lld patches: %lld vector, %lld banded, %lld dense, %lld failed\n"
      "%zu extractions, %d threads: least %.4f s, median %.4f s; %.0f ns a fibre and "
      "bin\n",
      static_cast<long long>(frame.npatch), static_cast<long long>(frame.npath_vector),
      static_cast<long long>(frame.npath_banded),
      static_cast<long long>(frame.npath_dense),
      static_cast<long long>(frame.npatch_failed), measured.seconds.size(),
      measured.threads, measured.least(), measured.median(),
      nanoseconds_per_bin(measured));
}

void print_scaling(const ScalingPoint &point, const ScalingPoint &first) {
  const Measurement &measured = point.measured;
  if (&point == &first)
    std::printf("%-8s %8s %8s %9s %8s %8s %10s %14s %9s %9s\n", "varied", "fibres",
                "bins", "spot", "spacing", "threads", "seconds", "ns/fibre/bin",
                "to first", "vector");
  std::printf(
      "%-8s %8d %8lld %9s %8.2f %8d %10.4f %14.0f %9.3f %7.1f %%\n", point.series.c_str(),
      measured.frame.nspec, static_cast<long long>(measured.frame.nwave),
      text("%d x %d", measured.psf.spot_nx, measured.psf.spot_ny).c_str(), point.spacing,
      measured.threads, measured.least(), nanoseconds_per_bin(measured),
      nanoseconds_per_bin(measured) / nanoseconds_per_bin(first.measured),
      100.0 * static_cast<double>(measured.frame.npath_vector) /
          static_cast<double>(std::max<int64_t>(1, measured.frame.npatch)));
  std::fflush(stdout);
}

}  // namespace specex_cli
