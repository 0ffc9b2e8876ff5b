// SPDX-License-Identifier: BSD-3-Clause
#include "io/atomic_file.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "io/input_file.hpp"
#include "support/cmocka.hpp"
#include "support/expect_error.hpp"
#include "support/raw_fits.hpp"
#include "support/scratch_directory.hpp"

using namespace specex;
using namespace specex::test;

namespace {

io::Buffer buffer_of(size_t size, uint8_t value) {
  io::Buffer buffer(size);
  std::fill_n(buffer.data(), size, value);
  return buffer;
}

// In two parts, the second one first.
void replace(const char *name, const io::Buffer &bytes) {
  io::replace_file(name, bytes.size(), [&bytes](const io::Put &put) {
    const size_t half = bytes.size() / 2;
    put(half, bytes.data() + half, bytes.size() - half);
    put(0, bytes.data(), half);
  });
}

// Runs in a child process, whose limits and user may be changed; returns what it returns.
template <class Body>
int in_child(Body &&body) {
  const pid_t child = fork();
  if (child == 0) {
    int result = 99;
    try {
      result = body();
    } catch (...) {
    }
    _exit(result);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// 0 if the file was written, else the status.
int try_to_write(const std::string &name, size_t size) {
  try {
    replace(name.c_str(), buffer_of(size, 'n'));
  } catch (const Error &error) {
    return error.status();
  }
  return 0;
}

void atomic_file_new_and_existing_names_are_written(void **) {
  const ScratchDirectory scratch;
  const std::string name = scratch.file("out.fits");
  replace(name.c_str(), buffer_of(100, 'a'));
  assert_true(read_bytes(name) == Bytes(100, 'a'));
  replace(name.c_str(), buffer_of(3 << 20, 'b'));
  assert_true(read_bytes(name) == Bytes(3 << 20, 'b'));
  assert_true(scratch.names() == std::vector<std::string>{"out.fits"});
}

void atomic_file_in_the_current_directory_is_written(void **) {
  const ScratchDirectory scratch;
  const int result = in_child([&scratch] {
    if (chdir(scratch.path().c_str()) != 0) return 98;
    return try_to_write("plain", 10);
  });
  assert_int_equal(result, 0);
  assert_true(scratch.names() == std::vector<std::string>{"plain"});
}

void atomic_file_gz_is_compressed(void **) {
  const ScratchDirectory scratch;
  const std::string name = scratch.file("out.fits.gz");
  replace(name.c_str(), buffer_of(100000, 'a'));
  assert_true(read_bytes(name).size() < 10000);
  const io::InputFile back(name.c_str());
  assert_int_equal(back.bytes().size(), 100000);
  assert_int_equal(back.bytes().data()[99999], 'a');
}

void atomic_file_bad_names_are_refused(void **) {
  const ScratchDirectory scratch;
  const io::Buffer bytes = buffer_of(10, 'a');
  const auto refused = [&bytes](const std::string &name, specex_status status,
                                const std::string &part) {
    expect_error(status, part, [&] { replace(name.c_str(), bytes); });
  };
  expect_error(SPECEX_ERROR_ARGUMENT, "NULL", [&] { replace(nullptr, bytes); });
  refused("", SPECEX_ERROR_ARGUMENT, "empty");
  refused(scratch.path(), SPECEX_ERROR_IO, "Is a directory");
  refused(scratch.path() + "/", SPECEX_ERROR_IO, "Is a directory");
  refused(scratch.file("absent/x"), SPECEX_ERROR_IO, "No such file");
  refused(scratch.file(std::string(300, 'x')), SPECEX_ERROR_IO, "too long");
  refused("/dev/full", SPECEX_ERROR_IO, "not a regular file");
  const std::string fifo = scratch.file("fifo");
  assert_int_equal(mkfifo(fifo.c_str(), 0600), 0);
  refused(fifo, SPECEX_ERROR_IO, "not a regular file");
  assert_true(std::filesystem::is_fifo(fifo));
  assert_true(scratch.names() == std::vector<std::string>{"fifo"});
}

void atomic_file_hostile_names_are_literal(void **) {
  const ScratchDirectory scratch;
  const std::vector<std::string> names = {"!x",
                                          "x[1]",
                                          "a b",
                                          "a\nb",
                                          "|id",
                                          ".hidden",
                                          "-",
                                          "~",
                                          "x.gz.fits",
                                          std::string(255, 'y'),
                                          std::string(250, 'z') + ".fits"};
  for (const std::string &name : names)
    replace(scratch.file(name).c_str(), buffer_of(10, 'a'));
  assert_int_equal(scratch.names().size(), names.size());
  for (const std::string &name : names)
    assert_true(read_bytes(scratch.file(name)) == Bytes(10, 'a'));
}

void atomic_file_link_is_replaced_not_followed(void **) {
  const ScratchDirectory scratch;
  scratch.write("target", {'t'});
  std::filesystem::create_symlink("target", scratch.file("link"));
  replace(scratch.file("link").c_str(), buffer_of(5, 'a'));
  assert_true(read_bytes(scratch.file("target")) == Bytes{'t'});
  assert_false(std::filesystem::is_symlink(scratch.file("link")));
  assert_true(read_bytes(scratch.file("link")) == Bytes(5, 'a'));
}

void atomic_file_permissions_follow_the_umask(void **) {
  const ScratchDirectory scratch;
  const std::string name = scratch.file("out");
  const int result = in_child([&name] {
    umask(027);
    return try_to_write(name, 10);
  });
  assert_int_equal(result, 0);
  struct stat status {};
  stat(name.c_str(), &status);
  assert_int_equal(status.st_mode & 0777, 0640);
}

// A limit stands for a full disk: writing fails in the middle.
void atomic_file_limit_leaves_the_old_file(void **) {
  const ScratchDirectory scratch;
  const std::string name = scratch.write("out.fits", {'o', 'l', 'd'});
  for (const rlim_t limit : {rlim_t{0}, rlim_t{1}, rlim_t{4096}, rlim_t{999999}}) {
    const int result = in_child([&name, limit] {
      const rlimit small{limit, limit};
      setrlimit(RLIMIT_FSIZE, &small);
      return try_to_write(name, 1000000);
    });
    assert_int_equal(result, SPECEX_ERROR_IO);  // not killed by SIGXFSZ
    assert_true(read_bytes(name) == (Bytes{'o', 'l', 'd'}));
    assert_true(scratch.names() == std::vector<std::string>{"out.fits"});
  }
}

void atomic_file_limit_leaves_no_new_file(void **) {
  const ScratchDirectory scratch;
  const std::string name = scratch.file("out.fits");
  const int result = in_child([&name] {
    const rlimit small{4096, 4096};
    setrlimit(RLIMIT_FSIZE, &small);
    return try_to_write(name, 1000000);
  });
  assert_int_equal(result, SPECEX_ERROR_IO);
  assert_true(scratch.names().empty());
}

std::atomic<int> signals_seen{0};

void count_signal(int) { ++signals_seen; }

void atomic_file_signals_are_left_as_they_were(void **) {
  const ScratchDirectory scratch;
  const std::string name = scratch.file("out");
  const int result = in_child([&name] {
    signal(SIGXFSZ, count_signal);
    sigset_t before;
    sigset_t after;
    pthread_sigmask(SIG_BLOCK, nullptr, &before);
    const rlimit small{10, 10};
    setrlimit(RLIMIT_FSIZE, &small);
    if (try_to_write(name, 1000) != SPECEX_ERROR_IO) return 1;
    pthread_sigmask(SIG_BLOCK, nullptr, &after);
    if (sigismember(&before, SIGXFSZ) != sigismember(&after, SIGXFSZ)) return 2;
    return signals_seen == 0 ? 0 : 3;
  });
  assert_int_equal(result, 0);
}

void atomic_file_signal_that_was_waiting_still_waits(void **) {
  const ScratchDirectory scratch;
  const std::string name = scratch.file("out");
  const int result = in_child([&name] {
    sigset_t pipe_signal;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, nullptr);
    raise(SIGPIPE);
    if (try_to_write(name, 10) != 0) return 1;
    sigset_t pending;
    sigpending(&pending);
    return sigismember(&pending, SIGPIPE) == 1 ? 0 : 2;
  });
  assert_int_equal(result, 0);
}

void atomic_file_read_only_directory_is_refused(void **) {
  const ScratchDirectory scratch;
  const std::string name = scratch.write("out.fits", {'o'});
  std::filesystem::permissions(scratch.path(), std::filesystem::perms(0555));
  const int result = in_child([&name] {
    if (geteuid() == 0 && setuid(65534) != 0) return 98;
    return try_to_write(name, 10);
  });
  std::filesystem::permissions(scratch.path(), std::filesystem::perms(0755));
  assert_int_equal(result, SPECEX_ERROR_IO);
  assert_true(read_bytes(name) == Bytes{'o'});
  assert_true(scratch.names() == std::vector<std::string>{"out.fits"});
}

// Readers see one of the complete files at every moment.
void atomic_file_readers_never_see_a_part(void **) {
  const ScratchDirectory scratch;
  const std::string name = scratch.file("out");
  replace(name.c_str(), buffer_of(100000, 'a'));
  std::atomic<bool> stop{false};
  int mixed = 0;
  std::thread reader([&] {
    while (!stop) {
      const Bytes seen = read_bytes(name);
      if (seen != Bytes(100000, 'a') && seen != Bytes(100000, 'b')) ++mixed;
    }
  });
  for (int i = 0; i < 30; ++i)
    replace(name.c_str(), buffer_of(100000, i % 2 ? 'a' : 'b'));
  stop = true;
  reader.join();
  assert_int_equal(mixed, 0);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(atomic_file_new_and_existing_names_are_written),
      cmocka_unit_test(atomic_file_in_the_current_directory_is_written),
      cmocka_unit_test(atomic_file_gz_is_compressed),
      cmocka_unit_test(atomic_file_bad_names_are_refused),
      cmocka_unit_test(atomic_file_hostile_names_are_literal),
      cmocka_unit_test(atomic_file_link_is_replaced_not_followed),
      cmocka_unit_test(atomic_file_permissions_follow_the_umask),
      cmocka_unit_test(atomic_file_limit_leaves_the_old_file),
      cmocka_unit_test(atomic_file_limit_leaves_no_new_file),
      cmocka_unit_test(atomic_file_signals_are_left_as_they_were),
      cmocka_unit_test(atomic_file_signal_that_was_waiting_still_waits),
      cmocka_unit_test(atomic_file_read_only_directory_is_refused),
      cmocka_unit_test(atomic_file_readers_never_see_a_part),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
