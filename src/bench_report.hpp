// SPDX-License-Identifier: BSD-3-Clause
//
// What `specex bench` measured, as tables for people and as JSON for programs.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bench_measure.hpp"
#include "machine_peak.hpp"

namespace specex_cli {

// One row of the scaling table.
struct ScalingPoint {
  std::string series;  // what is varied: "fibers", "bins", "spot", "spacing", "threads"
  double spacing;
  Measurement measured;
};

using Json = nlohmann::ordered_json;

// Date, version, what the library runs on, processor and peaks.
Json machine_json(const std::string &runs_on, const MachinePeak &peak);
Json measurement_json(const Measurement &measured, const MachinePeak &peak);
Json scaling_json(const ScalingPoint &point);

void print_machine(const std::string &runs_on, const MachinePeak &peak);
void print_measurement(const Measurement &measured, const MachinePeak &peak);
// A row, with a head where a series begins. first: the series' first row.
void print_scaling(const ScalingPoint &point, const ScalingPoint &first);

}  // namespace specex_cli
