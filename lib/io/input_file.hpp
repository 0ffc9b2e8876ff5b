// SPDX-License-Identifier: BSD-3-Clause
//
// A file that is read in parts, as they are asked for. (Mapped memory would end the
// process when somebody else truncates the file.)
#pragma once

#include <string>
#include <utility>

#include "io/buffer.hpp"
#include "io/descriptor.hpp"

namespace specex::io {

class InputFile {
 public:
  // Only regular files are read; NAME.gz is taken where NAME does not exist, and gzip is
  // recognised by its content. Errors: ARGUMENT, IO, FORMAT (empty, damaged), LIMIT,
  // MEMORY.
  explicit InputFile(const char *name, int threads = 1);
  // One that is in memory already.
  InputFile(std::string name, Buffer bytes)
      : name_(std::move(name)), file_(-1), bytes_(std::move(bytes)) {}

  const std::string &name() const { return name_; }  // of the file that is read
  size_t size() const { return bytes_.size(); }      // uncompressed
  bool in_memory() const { return !file_.valid(); }

  // All bytes, of which only those that fetch() was asked for are set, unless the whole
  // file is in memory; the others take up no memory.
  Buffer &bytes() { return bytes_; }
  const Buffer &bytes() const { return bytes_; }
  // Errors: IO (also if the file has become shorter).
  void fetch(size_t begin, size_t end);

  // A part that need not stay: where it is in memory, or else `room`, which it is read
  // into. May be called by several threads at a time. Errors: as fetch().
  const uint8_t *look(size_t begin, size_t end, uint8_t *room) const;

 private:
  void read(size_t begin, size_t end, uint8_t *to) const;

  std::string name_;
  Descriptor file_;  // invalid: everything is in memory
  int threads_ = 1;
  Buffer bytes_;
};

}  // namespace specex::io
