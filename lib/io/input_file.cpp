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

void read_part(const Descriptor &file, Buffer &bytes, const std::string &name,
               size_t begin, size_t end) {
  for (size_t done = begin; done < end;) {
    const ssize_t got =
        pread(file.number(), bytes.data() + done, end - done, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_with_errno("read", name, errno);
    if (got == 0)
      fail(SPECEX_ERROR_IO, "%s became shorter while it was read: it has no byte %zu",
           quoted(name).c_str(), done);
    done += static_cast<size_t>(got);
  }
}

}  // namespace

InputFile read_input_file(const char *name, int threads) {
  check_file_name(name);
  InputFile input{name, {}};
  Descriptor file = open_input(input.name);
  input.bytes.resize(regular_file_size(file, input.name));
  deal_parts(threads, input.bytes.size(), size_t{4} << 20, [&](size_t begin, size_t end) {
    read_part(file, input.bytes, input.name, begin, end);
  });
  if (is_gzip(input.bytes)) input.bytes = gunzip(input.bytes, input.name);
  return input;
}

}  // namespace specex::io
