// SPDX-License-Identifier: BSD-3-Clause
#include "io/atomic_file.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <string>

#include "base/error.hpp"
#include "io/buffer.hpp"
#include "io/descriptor.hpp"
#include "io/file_name.hpp"
#include "io/gzip.hpp"

namespace specex::io {
namespace {

// Writing past a limit or to a closed pipe must be an error, not the end of the process.
// The signals are blocked on this thread; those that we caused are taken back.
class FileSignalsBlocked {
 public:
  FileSignalsBlocked() {
    sigemptyset(&ours_);
    sigaddset(&ours_, SIGXFSZ);
    sigaddset(&ours_, SIGPIPE);
    sigpending(&pending_before_);
    pthread_sigmask(SIG_BLOCK, &ours_, &mask_before_);
  }
  ~FileSignalsBlocked() {
    sigset_t pending;
    sigpending(&pending);
    for (const int signal : {SIGXFSZ, SIGPIPE}) {
      if (sigismember(&pending, signal) == 0 ||
          sigismember(&pending_before_, signal) != 0)
        continue;
      sigset_t one;
      sigemptyset(&one);
      sigaddset(&one, signal);
      const timespec at_once{0, 0};
      sigtimedwait(&one, nullptr, &at_once);
    }
    pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
  }
  FileSignalsBlocked(const FileSignalsBlocked &) = delete;
  FileSignalsBlocked &operator=(const FileSignalsBlocked &) = delete;

 private:
  sigset_t ours_{};
  sigset_t pending_before_{};
  sigset_t mask_before_{};
};

struct Path {
  std::string directory;
  std::string file;
};

Path split(const std::string &name) {
  const size_t slash = name.rfind('/');
  if (slash == std::string::npos) return {".", name};
  return {name.substr(0, slash + 1), name.substr(slash + 1)};
}

// frame.fits.gz becomes frame.tmp<pid>-<random>.fits.gz: other tools go by the extension.
std::string temporary_name(const std::string &file) {
  const size_t before = ends_with_gz(file) ? file.size() - 4 : file.size();
  size_t dot = file.rfind('.', before);
  if (dot == std::string::npos || dot == 0) dot = file.size();
  uint64_t random = 0;
  if (getrandom(&random, sizeof random, GRND_NONBLOCK) < 0)
    random = static_cast<uint64_t>(std::clock());
  char infix[48];
  std::snprintf(infix, sizeof infix, ".tmp%ld-%016llx", static_cast<long>(getpid()),
                static_cast<unsigned long long>(random));
  constexpr size_t longest_file_name = 255;
  const std::string tail = infix + file.substr(dot);
  const size_t room = longest_file_name - std::min(longest_file_name, tail.size());
  return file.substr(0, std::min(dot, room)) + tail;
}

// A file that is removed unless it was renamed.
class TemporaryFile {
 public:
  TemporaryFile(const Descriptor &directory, const std::string &name)
      : directory_(directory.number()),
        file_(temporary_name(name)),
        descriptor_(openat(directory_, file_.c_str(),
                           O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666)) {}
  ~TemporaryFile() {
    if (descriptor_.valid() || written_) unlinkat(directory_, file_.c_str(), 0);
  }
  TemporaryFile(const TemporaryFile &) = delete;
  TemporaryFile &operator=(const TemporaryFile &) = delete;

  // All of these return false with errno set.
  bool valid() const { return descriptor_.valid(); }

  bool write(size_t at, const uint8_t *bytes, size_t size) {
    for (size_t done = 0; done < size;) {
      const ssize_t count = pwrite(descriptor_.number(), bytes + done, size - done,
                                   static_cast<off_t>(at + done));
      if (count < 0 && errno != EINTR) return false;
      if (count > 0) done += static_cast<size_t>(count);
    }
    // Every now and then the disk may begin, so that fsync has less to wait for; errors
    // are for fsync.
    constexpr size_t enough = size_t{8} << 20;
    const size_t before = given_.fetch_add(size);
    if (before / enough != (before + size) / enough)
      sync_file_range(descriptor_.number(), 0, 0, SYNC_FILE_RANGE_WRITE);
    return true;
  }

  bool finish() {
    while (fsync(descriptor_.number()) != 0)
      if (errno != EINTR) return false;
    written_ = true;
    return descriptor_.close();
  }

  bool rename_to(const std::string &name) {
    if (renameat(directory_, file_.c_str(), directory_, name.c_str()) != 0) return false;
    written_ = false;
    return true;
  }

 private:
  int directory_;
  std::string file_;
  Descriptor descriptor_;
  std::atomic<size_t> given_{0};  // bytes
  bool written_ = false;
};

// Renaming over a device or a FIFO would remove it.
void check_destination(const Descriptor &directory, const Path &path, const char *name) {
  struct stat status {};
  if (fstatat(directory.number(), path.file.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
    return;  // there is none
  if (S_ISDIR(status.st_mode)) fail_with_errno("write", name, EISDIR);
  if (!S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode))
    fail(SPECEX_ERROR_IO, "cannot write %s: it is there and not a regular file",
         quoted(name).c_str());
}

using Fill = std::function<void(const Put &)>;

void replace_with(const char *name, const Fill &fill) {
  const Path path = split(name);
  if (path.file.empty()) fail_with_errno("write", name, EISDIR);
  const Descriptor directory(
      open(path.directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) fail_with_errno("open the directory of", name, errno);
  check_destination(directory, path, name);
  TemporaryFile temporary(directory, path.file);
  if (!temporary.valid()) fail_with_errno("create", name, errno);
  fill([&](size_t at, const uint8_t *bytes, size_t size) {
    if (!temporary.write(at, bytes, size)) fail_with_errno("write", name, errno);
  });
  if (!temporary.finish()) fail_with_errno("write", name, errno);
  if (!temporary.rename_to(path.file)) fail_with_errno("rename to", name, errno);
  // Some file systems cannot sync a directory; the file itself is complete.
  if (fsync(directory.number()) != 0 && errno == EIO)
    fail_with_errno("sync the directory of", name, errno);
}

void replace_with_gzip(const char *name, size_t size, const Fill &fill) {
  Buffer bytes(size);
  fill([&bytes](size_t at, const uint8_t *from, size_t count) {
    std::memcpy(bytes.data() + at, from, count);
  });
  bytes = gzip(bytes);
  replace_with(name, [&bytes](const Put &put) { put(0, bytes.data(), bytes.size()); });
}

}  // namespace

void replace_file(const char *name, size_t size, const Fill &fill) {
  check_file_name(name);
  const FileSignalsBlocked signals;
  if (ends_with_gz(name))
    replace_with_gzip(name, size, fill);
  else
    replace_with(name, fill);
}

}  // namespace specex::io
