// SPDX-License-Identifier: BSD-3-Clause
#include "exposure/temporaries.hpp"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>

#include "outputs.hpp"

namespace specex_cli {
namespace {

namespace fs = std::filesystem;
using Names = std::set<std::pair<std::string, std::string>>;  // stem and ending

// The process that made a temporary file of one of these names; 0 if it is none.
pid_t writer_of(const std::string &file, const Names &names) {
  const std::string mark = ".tmp";
  const size_t at = file.find(mark);
  if (at == std::string::npos) return 0;
  const std::string ending = FileName(file).ending;
  if (!names.contains({file.substr(0, at), ending})) return 0;
  return static_cast<pid_t>(std::atol(file.c_str() + at + mark.size()));
}

bool is_meant(pid_t writer, WrittenBy writers) {
  if (writers == WrittenBy::this_process) return writer == ::getpid();
  const bool has_ended = ::kill(writer, 0) != 0 && errno == ESRCH;
  return has_ended || writer == ::getpid();  // which has not written anything yet
}

}  // namespace

void remove_temporaries(const std::vector<std::string> &outputs, WrittenBy writers) {
  std::map<fs::path, Names> folders;
  for (const std::string &output : outputs) {
    const fs::path folder = fs::path(output).parent_path();
    const FileName name(output);
    folders[folder.empty() ? fs::path(".") : folder].emplace(name.stem, name.ending);
  }
  for (const auto &[folder, names] : folders) {
    std::error_code error;
    std::vector<fs::path> left;
    for (const auto &entry : fs::directory_iterator(folder, error)) {
      const pid_t writer = writer_of(entry.path().filename().string(), names);
      if (writer > 0 && is_meant(writer, writers)) left.push_back(entry.path());
    }
    for (const fs::path &path : left) fs::remove(path, error);
  }
}

}  // namespace specex_cli
