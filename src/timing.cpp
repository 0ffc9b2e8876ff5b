// SPDX-License-Identifier: BSD-3-Clause
#include "timing.hpp"

#include <nlohmann/json.hpp>

#include "outputs.hpp"

namespace specex_cli {

void write_timing(const std::string &path, const Context &context,
                  const Extraction &extraction, double write_seconds,
                  double total_seconds) {
  const specex_frame &frame = extraction.frame().view();
  nlohmann::ordered_json json;
  json["read_s"] = extraction.psf()->read_seconds + extraction.read_seconds();
  json["extract_s"] = extraction.extract_seconds();
  json["write_s"] = write_seconds;
  json["total_s"] = total_seconds;
  json["threads"] = std::stoi(context.described("threads"));
  json["backend"] = context.described("backend");
  json["vectors"] = context.described("vectors");
  json["runs_on"] = context.description();
  json["patches"] = frame.npatch;
  json["patches_failed"] = frame.npatch_failed;
  json["paths"] = {{"dense", frame.npath_dense},
                   {"banded", frame.npath_banded},
                   {"vector", frame.npath_vector}};

  write_json(path, json);
}

}  // namespace specex_cli
