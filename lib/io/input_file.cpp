// SPDX-License-Identifier: BSD-3-Clause
#include "io/input_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/deal.hpp"
#include "base/error.hpp"
#include "io/descriptor.hpp"
#include "io/file_name.hpp"
#include "io/gzip.hpp"

namespace specex::io {
namespace {

constexpr size_t largest_file = size_t{1} << 33;  // bytes

// O_NONBLOCK: a FIFO or device is refused below instead of being waited for.
Descriptor open_for_reading(const std::string &name) {
  int number = -1;
  do {
    number = open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  } while (number < 0 && errno == EINTR);
  return Descriptor(number);
}

// Changes the name to the one found.
Descriptor open_input(std::string &name) {
  Descriptor file = open_for_reading(name);
  if (file.valid()) return file;
  const int reason = errno;
  if (reason == ENOENT && !ends_with_gz(name)) {
    Descriptor compressed = open_for_reading(name + ".gz");
    if (compressed.valid()) {
      name += ".gz";
      return compressed;
    }
  }
  fail_with_errno("open", name, reason);
}

size_t regular_file_size(const Descriptor &file, const std::string &name) {
  struct stat status {};
  if (fstat(file.number(), &status) != 0) fail_with_errno("examine", name, errno);
  if (S_ISDIR(status.st_mode))
    fail(SPECEX_ERROR_IO, "cannot read %s: it is a directory", quoted(name).c_str());
  if (!S_ISREG(status.st_mode))
    fail(SPECEX_ERROR_IO, "cannot read %s: it is not a regular file",
         quoted(name).c_str());
  if (status.st_size == 0) fail(SPECEX_ERROR_FORMAT, "%s is empty", quoted(name).c_str());
  const auto size = static_cast<size_t>(status.st_size);
  if (size > largest_file)
    fail(SPECEX_ERROR_LIMIT, "%s is larger than %zu bytes, the most that is read",
         quoted(name).c_str(), largest_file);
  return size;
}

}  // namespace

InputFile::InputFile(const char *name, int threads)
    : name_((check_file_name(name), name)), file_(open_input(name_)), threads_(threads) {
  bytes_.resize(regular_file_size(file_, name_));
  fetch(0, std::min(size(), smallest_gzip));
  if (is_gzip(bytes_)) {
    fetch(0, size());
    bytes_ = gunzip(bytes_, name_);
    file_.close();
  } else {
    // From a disk, what is asked for later comes while something else is done.
    posix_fadvise(file_.number(), 0, 0, POSIX_FADV_WILLNEED);
  }
}

void InputFile::read(size_t begin, size_t end, uint8_t *to) const {
  for (size_t done = begin; done < end;) {
    const ssize_t got =
        pread(file_.number(), to + (done - begin), end - done, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_with_errno("read", name_.c_str(), errno);
    if (got == 0)
      fail(SPECEX_ERROR_IO, "%s became shorter while it was read: it has no byte %zu",
           quoted(name_).c_str(), done);
    done += static_cast<size_t>(got);
  }
}

void InputFile::fetch(size_t begin, size_t end) {
  if (in_memory()) return;
  constexpr size_t part = size_t{4} << 20;
  deal_parts(threads_, end - begin, part, [&](size_t first, size_t last) {
    read(begin + first, begin + last, bytes_.data() + begin + first);
  });
}

const uint8_t *InputFile::look(size_t begin, size_t end, uint8_t *room) const {
  if (in_memory()) return bytes_.data() + begin;
  read(begin, end, room);
  return room;
}

}  // namespace specex::io
