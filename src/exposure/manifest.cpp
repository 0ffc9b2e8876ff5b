// SPDX-License-Identifier: BSD-3-Clause
#include "exposure/manifest.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "log.hpp"
#include "session.hpp"

namespace specex_cli {
namespace {

[[noreturn]] void refuse(const std::string &where, const std::string &what) {
  throw Failure(exit_configuration, where + ": " + what);
}

std::string line_of(const std::string &name, int line) {
  return text("'%s', line %d", name.c_str(), line);
}

struct Record {
  int line;
  std::vector<std::string> fields;
};

// Takes CSV apart, character by character.
class CsvReader {
 public:
  CsvReader(const std::string &content, const std::string &name)
      : content_(content), name_(name) {
    if (content_.starts_with("\xef\xbb\xbf")) at_ = 3;  // some editors begin like this
  }

  // False at the end. Empty lines are passed over.
  bool next(Record &record) {
    do {
      if (at_ >= content_.size()) return false;
      record = {line_, {}};
      do record.fields.push_back(next_field());
      while (took(','));
      took('\r');
      if (!took('\n') && at_ < content_.size())
        refuse(line_of(name_, line_), "a quoted field goes on behind its quote");
      ++line_;
    } while (record.fields.size() == 1 && record.fields.front().empty());
    return true;
  }

 private:
  bool took(char wanted) {
    if (at_ >= content_.size() || content_[at_] != wanted) return false;
    ++at_;
    return true;
  }

  std::string next_field() {
    while (took(' ')) continue;
    if (took('"')) return quoted_field();
    const size_t end = std::min(content_.find_first_of(",\r\n", at_), content_.size());
    std::string field = content_.substr(at_, end - at_);
    at_ = end;
    field.erase(field.find_last_not_of(" \t") + 1);
    return field;
  }

  std::string quoted_field() {
    std::string field;
    const int begin = line_;
    while (at_ < content_.size()) {
      const char character = content_[at_++];
      if (character == '\n') ++line_;
      if (character == '"' && !took('"')) {
        while (took(' ')) continue;
        return field;
      }
      field += character;
    }
    refuse(line_of(name_, begin), "a quote is not closed");
  }

  const std::string &content_;
  const std::string &name_;
  size_t at_ = 0;
  int line_ = 1;
};

// As it would be typed on a command line.
std::string typed(const nlohmann::json &value, const std::string &where) {
  if (value.is_null()) return "";
  if (value.is_string()) return value.get<std::string>();
  if (value.is_structured()) refuse(where, "a value is neither text, number nor boolean");
  return value.dump();
}

}  // namespace

std::vector<ManifestRow> parse_csv(const std::string &text, const std::string &name) {
  CsvReader reader(text, name);
  Record names;
  if (!reader.next(names)) refuse("'" + name + "'", "there is no line with the columns");
  std::vector<ManifestRow> rows;
  for (Record record; reader.next(record);) {
    ManifestRow row{line_of(name, record.line), {}};
    if (record.fields.size() != names.fields.size())
      refuse(row.where, specex_cli::text("%zu fields, where the first line names %zu",
                                         record.fields.size(), names.fields.size()));
    for (size_t i = 0; i < names.fields.size(); ++i)
      row.values.emplace_back(names.fields[i], record.fields[i]);
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<ManifestRow> parse_json(const std::string &text, const std::string &name) {
  nlohmann::ordered_json json;
  try {
    json = nlohmann::ordered_json::parse(text);
  } catch (const nlohmann::json::exception &error) {
    refuse("'" + name + "'", error.what());
  }
  if (!json.is_array()) refuse("'" + name + "'", "it is not an array of frames");
  std::vector<ManifestRow> rows;
  for (const auto &frame : json) {
    ManifestRow row{specex_cli::text("'%s', frame %zu", name.c_str(), rows.size() + 1),
                    {}};
    if (!frame.is_object()) refuse(row.where, "it is not an object");
    for (const auto &[key, value] : frame.items())
      row.values.emplace_back(key, typed(value, row.where));
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<ManifestRow> read_manifest(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(file), {}};
  if (!file)
    throw Failure(exit_configuration, text("cannot read the manifest '%s': %s",
                                           path.c_str(), std::strerror(errno)));
  const size_t first = content.find_first_not_of(" \t\r\n");
  const bool is_json = first != std::string::npos && content.find_first_of("[{") == first;
  return is_json ? parse_json(content, path) : parse_csv(content, path);
}

}  // namespace specex_cli
