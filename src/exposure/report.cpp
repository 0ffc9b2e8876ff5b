// SPDX-License-Identifier: BSD-3-Clause
#include "exposure/report.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "log.hpp"
#include "progress.hpp"
#include "session.hpp"

namespace specex_cli {
namespace {

const char *name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::good:
      return "good";
    case Outcome::verified:
      return "verified";
    case Outcome::degraded:
      return "degraded";
    case Outcome::failed:
      return "failed";
    default:
      return "waiting";
  }
}

bool was_extracted(const StageSeconds &seconds) { return seconds.extract > 0; }

double peak_memory_mb() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024 / 1e6;
}

// "1:02:03" or "2:03"
std::string clock_time(double seconds) {
  const long all = std::lround(seconds);
  return all < 3600 ? text("%ld:%02ld", all / 60, all % 60)
                    : text("%ld:%02ld:%02ld", all / 3600, all / 60 % 60, all % 60);
}

}  // namespace

Report::Report(const std::vector<FrameJob> &jobs) : jobs_(jobs), entries_(jobs.size()) {}

FrameRecord found_frame(const std::string &shortcoming, double seconds) {
  const bool whole = shortcoming.empty();
  return {whole ? Outcome::verified : Outcome::degraded,
          whole ? exit_good : exit_degraded,
          shortcoming,
          {seconds, 0, 0}};
}

FrameRecord written_frame(const std::string &shortcoming, const StageSeconds &seconds) {
  const bool whole = shortcoming.empty();
  return {whole ? Outcome::good : Outcome::degraded, whole ? exit_good : exit_degraded,
          shortcoming, seconds};
}

FrameRecord failed_frame(int exit_code, const std::string &reason) {
  return {Outcome::failed, exit_code, reason, {}};
}

void Report::enter(size_t job, const FrameRecord &record) {
  const std::lock_guard lock(mutex_);
  const char *name = jobs_[job].name.c_str();
  entries_[job] = record;
  if (record.outcome == Outcome::failed)
    log_error(text("%s failed: %s", name, record.reason.c_str()));
  else if (record.outcome == Outcome::degraded)
    log_warning(text("%s is degraded: %s", name, record.reason.c_str()));
  log_info(text("%s %s, %s", name, name_of(record.outcome), progress().c_str()));
}

size_t Report::count(Outcome outcome) const {
  return static_cast<size_t>(
      std::count_if(entries_.begin(), entries_.end(),
                    [=](const FrameRecord &entry) { return entry.outcome == outcome; }));
}

size_t Report::extracted() const {
  return static_cast<size_t>(std::count_if(
      entries_.begin(), entries_.end(),
      [](const FrameRecord &entry) { return was_extracted(entry.seconds); }));
}

double Report::elapsed() const { return seconds_since(start_); }

// As long for what waits as it was for what was extracted, by their costs.
double Report::seconds_left() const {
  double waiting = 0, extracted = 0;
  for (size_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].outcome == Outcome::waiting) waiting += jobs_[i].cost;
    if (was_extracted(entries_[i].seconds)) extracted += jobs_[i].cost;
  }
  return extracted > 0 ? elapsed() * waiting / extracted : 0;
}

std::string Report::progress() const {
  std::string result = text("%zu of %zu frames", done(), entries_.size());
  if (extracted() > 0)
    result += text(", %.0f an hour, %s left",
                   3600 * static_cast<double>(extracted()) / elapsed(),
                   clock_time(seconds_left()).c_str());
  if (count(Outcome::degraded) > 0)
    result += text(", %zu degraded", count(Outcome::degraded));
  if (count(Outcome::failed) > 0) result += text(", %zu failed", count(Outcome::failed));
  return result;
}

void Report::draw() const {
  if (!on_terminal()) return;
  const std::lock_guard lock(mutex_);
  draw_progress(static_cast<double>(done()) /
                    static_cast<double>(std::max<size_t>(1, entries_.size())),
                progress());
}

std::string Report::summary() const {
  const std::lock_guard lock(mutex_);
  std::string result =
      text("%zu of %zu frames written", count(Outcome::good), entries_.size());
  const std::pair<Outcome, const char *> others[] = {{Outcome::verified, "verified"},
                                                     {Outcome::degraded, "degraded"},
                                                     {Outcome::failed, "failed"},
                                                     {Outcome::waiting, "not done"}};
  for (const auto &[outcome, name] : others)
    if (count(outcome) > 0) result += text(", %zu %s", count(outcome), name);
  return result;
}

int Report::exit_code() const {
  const std::lock_guard lock(mutex_);
  const bool some_failed = count(Outcome::failed) > 0;
  const bool none_is_there = count(Outcome::failed) == entries_.size();
  if (some_failed && none_is_there) return entries_.front().exit_code;
  return some_failed || count(Outcome::degraded) > 0 ? exit_degraded : exit_good;
}

nlohmann::ordered_json Report::json() const {
  const std::lock_guard lock(mutex_);
  nlohmann::ordered_json json;
  StageSeconds sum;
  auto frames = nlohmann::ordered_json::array();
  for (size_t i = 0; i < entries_.size(); ++i) {
    const auto &[outcome, exit_code, reason, seconds] = entries_[i];
    sum.read += seconds.read;
    sum.extract += seconds.extract;
    sum.write += seconds.write;
    frames.push_back({{"input", jobs_[i].settings.image_path},
                      {"output", jobs_[i].output.path},
                      {"outcome", name_of(outcome)},
                      {"exit_code", exit_code},
                      {"reason", reason},
                      {"read_s", seconds.read},
                      {"extract_s", seconds.extract},
                      {"write_s", seconds.write}});
  }
  json["total_s"] = elapsed();
  json["frames_per_hour"] = 3600 * static_cast<double>(extracted()) / elapsed();
  json["read_s"] = sum.read;
  json["extract_s"] = sum.extract;
  json["write_s"] = sum.write;
  for (const Outcome outcome : {Outcome::good, Outcome::verified, Outcome::degraded,
                                Outcome::failed, Outcome::waiting})
    json[name_of(outcome)] = count(outcome);
  json["peak_memory_mb"] = peak_memory_mb();
  json["frames"] = std::move(frames);
  return json;
}

}  // namespace specex_cli
