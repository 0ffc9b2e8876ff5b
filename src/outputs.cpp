// SPDX-License-Identifier: BSD-3-Clause
#include "outputs.hpp"

#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "input_file.hpp"
#include "log.hpp"
#include "session.hpp"

namespace specex_cli {
namespace {

namespace fs = std::filesystem;

fs::path folder_of(const std::string &path) {
  const fs::path folder = fs::path(path).parent_path();
  return folder.empty() ? fs::path(".") : folder;
}

}  // namespace

void check_output(const std::string &path) {
  const std::string folder = folder_of(path).string();
  std::error_code error;
  if (!fs::is_directory(folder, error))
    throw Failure(exit_retryable, text("cannot write '%s': there is no folder '%s'",
                                       path.c_str(), folder.c_str()));
  if (::access(folder.c_str(), W_OK | X_OK) != 0)
    throw Failure(exit_retryable, text("cannot write '%s': '%s': %s", path.c_str(),
                                       folder.c_str(), std::strerror(errno)));
  const auto kind = fs::status(path, error).type();
  if (kind != fs::file_type::not_found && kind != fs::file_type::regular)
    throw Failure(exit_retryable,
                  text("cannot write '%s': it exists and is not a file", path.c_str()));
}

void check_fits_output(const std::string &path) {
  if (!path.ends_with(".fits") && !path.ends_with(".fits.gz"))
    throw Failure(exit_configuration,
                  text("the name of an output must end in .fits or .fits.gz, unlike '%s'",
                       path.c_str()));
  check_output(path);
}

void check_differ(const std::string &input, const std::string &output) {
  std::error_code error;
  const std::string read = file_to_read(input);
  if (fs::equivalent(read, output, error) && !error)
    throw Failure(exit_configuration,
                  text("'%s' would be overwritten by the output", read.c_str()));
}

void check_apart(const std::string &one, const std::string &other) {
  std::error_code error;
  const bool same_folder = fs::equivalent(folder_of(one), folder_of(other), error);
  if (one.empty() || other.empty() || !same_folder ||
      fs::path(one).filename() != fs::path(other).filename())
    return;
  throw Failure(exit_configuration, text("the outputs '%s' and '%s' are the same file",
                                         one.c_str(), other.c_str()));
}

void check_room(const std::string &path, int64_t bytes) {
  if (path.ends_with(".gz")) return;
  struct statvfs system;
  // File systems that keep no such count say 0 blocks.
  if (::statvfs(folder_of(path).c_str(), &system) != 0 || system.f_blocks == 0) return;
  const auto blocks = ::geteuid() == 0 ? system.f_bfree : system.f_bavail;
  const double room = static_cast<double>(blocks) * static_cast<double>(system.f_frsize);
  if (room < static_cast<double>(bytes))
    throw Failure(
        exit_retryable,
        text("cannot write '%s': it needs %.1f MB and the disk has %.1f MB left",
             path.c_str(), static_cast<double>(bytes) / 1e6, room / 1e6));
}

FileName::FileName(const std::string &path) {
  const std::string name = fs::path(path).filename().string();
  const size_t before = name.ends_with(".gz") ? name.size() - 4 : name.size();
  const size_t dot = name.rfind('.', before);
  const size_t end = dot == std::string::npos || dot == 0 ? name.size() : dot;
  stem = name.substr(0, end);
  ending = name.substr(end);
}

PendingFile::PendingFile(std::string path) : path_(std::move(path)) {
  const FileName name(path_);
  const std::string pid = std::to_string(::getpid());
  temporary_path_ =
      (fs::path(path_).parent_path() / (name.stem + ".tmp" + pid + name.ending)).string();
}

PendingFile::~PendingFile() {
  if (!temporary_path_.empty()) ::unlink(temporary_path_.c_str());
}

void PendingFile::keep() {
  if (std::rename(temporary_path_.c_str(), path_.c_str()) != 0)
    throw Failure(exit_retryable,
                  text("cannot write '%s': %s", path_.c_str(), std::strerror(errno)));
  temporary_path_.clear();
}

void write_text(const std::string &path, const std::string &content) {
  PendingFile file(path);
  std::ofstream stream(file.temporary_path(), std::ios::binary);
  stream << content;
  stream.close();
  if (!stream) throw Failure(exit_retryable, text("cannot write '%s'", path.c_str()));
  file.keep();
}

void write_json(const std::string &path, const nlohmann::ordered_json &json) {
  constexpr auto not_utf8 = nlohmann::json::error_handler_t::replace;  // as names may be
  write_text(path, json.dump(2, ' ', false, not_utf8) + '\n');
}

}  // namespace specex_cli
