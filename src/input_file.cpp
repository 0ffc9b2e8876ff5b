// SPDX-License-Identifier: BSD-3-Clause
#include "input_file.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

#include "log.hpp"

namespace specex_cli {
namespace {

namespace fs = std::filesystem;

// What tile compression makes of noisy images at best, about.
constexpr int64_t tile_compression = 5;

// The last four bytes of a gzip file hold the size of what is in it, modulo 2^32.
int64_t gzip_content_size(const std::string &path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  std::array<unsigned char, 4> tail{};
  file.seekg(-4, std::ios::end);
  file.read(reinterpret_cast<char *>(tail.data()), tail.size());
  return int64_t{tail[0]} | int64_t{tail[1]} << 8 | int64_t{tail[2]} << 16 |
         int64_t{tail[3]} << 24;
}

}  // namespace

std::string file_to_read(const std::string &path) {
  std::error_code error;
  return fs::exists(path, error) ? path : path + ".gz";
}

std::string identity_of(const std::string &path) {
  if (path.empty()) return "";
  const std::string read = file_to_read(path);
  struct stat status {};
  if (::stat(read.c_str(), &status) != 0) return read + " is not there";
  return text("%s of %lld bytes at %lld.%09ld", fs::path(read).filename().c_str(),
              static_cast<long long>(status.st_size),
              static_cast<long long>(status.st_mtim.tv_sec), status.st_mtim.tv_nsec);
}

bool is_compressed(const std::string &path) {
  const std::string read = file_to_read(path);
  return read.ends_with(".gz") || read.ends_with(".fz");
}

int64_t size_of(const std::string &path) {
  struct stat status {};
  return ::stat(file_to_read(path).c_str(), &status) == 0 ? status.st_size : 0;
}

int64_t expanded_size_of(const std::string &path) {
  const std::string read = file_to_read(path);
  const int64_t size = size_of(path);
  if (read.ends_with(".gz") && size > 4) return std::max(size, gzip_content_size(read));
  return read.ends_with(".fz") ? tile_compression * size : size;
}

}  // namespace specex_cli
