// SPDX-License-Identifier: BSD-3-Clause
//
// Lists of frames to make: tables whose columns are named as the options of extract.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace specex_cli {

// One frame of a list: options by their names, without the dashes.
struct ManifestRow {
  std::string where;  // for messages: "'night.csv', line 3"
  std::vector<std::pair<std::string, std::string>> values;
};

// Reads a manifest: JSON (an array of objects) or CSV (RFC 4180, with a line of names).
// Throws a Failure that says where it is wrong.
std::vector<ManifestRow> read_manifest(const std::string &path);

// Of texts in memory; name is for messages.
std::vector<ManifestRow> parse_csv(const std::string &text, const std::string &name);
std::vector<ManifestRow> parse_json(const std::string &text, const std::string &name);

}  // namespace specex_cli
