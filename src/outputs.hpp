// SPDX-License-Identifier: BSD-3-Clause
//
// Checks of the files to write before the work begins, so that minutes of computing are
// not lost to a folder that is not there, and the writing of several files together.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace specex_cli {

// Throws a Failure unless a FITS file of this name could be made or replaced now.
void check_fits_output(const std::string &path);

// Throws a Failure unless a file could be made or replaced at the path now.
void check_output(const std::string &path);

// Throws a Failure if both are the same existing file.
void check_differ(const std::string &input, const std::string &output);

// Throws a Failure if two outputs would be the same file, however they are spelt.
void check_apart(const std::string &one, const std::string &other);

// Throws a Failure if the path's file system has less room than that. A compressed file
// (.gz) is not checked.
void check_room(const std::string &path, int64_t bytes);

// A file name, taken apart where temporary files get what makes them unique.
struct FileName {
  std::string stem;    // "frame-r0"
  std::string ending;  // ".fits.gz"

  explicit FileName(const std::string &path);
};

// A file that is written under another name, STEM.tmp<pid>ENDING in the same folder, and
// gets its own with keep(): so that two files appear together or not at all.
class PendingFile {
 public:
  explicit PendingFile(std::string path);
  ~PendingFile();  // removes what was not kept
  PendingFile(const PendingFile &) = delete;
  PendingFile &operator=(const PendingFile &) = delete;

  const std::string &temporary_path() const { return temporary_path_; }
  void keep();

 private:
  std::string path_;
  std::string temporary_path_;
};

// Writes a file that is complete or, where that fails, what it was before.
void write_text(const std::string &path, const std::string &content);
void write_json(const std::string &path, const nlohmann::ordered_json &json);

}  // namespace specex_cli
