// SPDX-License-Identifier: BSD-3-Clause
#include "io/input_file.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "io/checksum.hpp"
#include "io/file_name.hpp"
#include "io/fits_file.hpp"
#include "io/gzip.hpp"
#include "support/cmocka.hpp"
#include "support/expect_error.hpp"
#include "support/random.hpp"
#include "support/raw_fits.hpp"
#include "support/scratch_directory.hpp"

using namespace specex;
using namespace specex::test;

namespace {

Bytes bytes_of(const io::Buffer &buffer) {
  return {buffer.data(), buffer.data() + buffer.size()};
}

Bytes gzipped(const Bytes &bytes) {
  io::Buffer buffer(bytes.size());
  std::copy(bytes.begin(), bytes.end(), buffer.data());
  return bytes_of(io::gzip(buffer));
}

Bytes read(const std::string &name) {
  io::InputFile input(name.c_str());
  input.fetch(0, input.size());
  return bytes_of(input.bytes());
}

void refused(const std::string &name, specex_status status, const std::string &part) {
  expect_error(status, part, [&name] { io::InputFile input(name.c_str()); });
}

void input_file_plain_is_read_whole(void **) {
  const ScratchDirectory scratch;
  Bytes content(1 << 20);
  for (size_t i = 0; i < content.size(); ++i)
    content[i] = static_cast<uint8_t>(i * i >> 8);
  assert_true(read(scratch.write("a", content)) == content);
}

void input_file_of_no_use_is_refused(void **) {
  const ScratchDirectory scratch;
  expect_error(SPECEX_ERROR_ARGUMENT, "NULL", [] { io::InputFile input(nullptr); });
  refused("", SPECEX_ERROR_ARGUMENT, "empty");
  refused(scratch.file("absent"), SPECEX_ERROR_IO, "/absent': No such file");
  refused(scratch.file("absent.gz"), SPECEX_ERROR_IO, "No such file");
  refused(scratch.write("empty", {}), SPECEX_ERROR_FORMAT, "/empty' is empty");
  refused(scratch.path(), SPECEX_ERROR_IO, "is a directory");
  refused(scratch.write("file", {1}) + "/x", SPECEX_ERROR_IO, "Not a directory");
  refused("/dev/null", SPECEX_ERROR_IO, "not a regular file");
  refused("/dev/zero", SPECEX_ERROR_IO, "not a regular file");
}

void input_file_fifo_is_refused_at_once(void **) {
  const ScratchDirectory scratch;
  const std::string fifo = scratch.file("fifo");
  assert_int_equal(mkfifo(fifo.c_str(), 0600), 0);
  refused(fifo, SPECEX_ERROR_IO, "not a regular file");
}

void input_file_socket_is_refused(void **) {
  const ScratchDirectory scratch;
  const std::string name = scratch.file("socket");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, name.c_str(), sizeof address.sun_path - 1);
  const int socket_number = socket(AF_UNIX, SOCK_STREAM, 0);
  assert_int_equal(
      bind(socket_number, reinterpret_cast<sockaddr *>(&address), sizeof address), 0);
  refused(name, SPECEX_ERROR_IO, "cannot open");
  close(socket_number);
}

void input_file_loop_of_links_is_refused(void **) {
  const ScratchDirectory scratch;
  std::filesystem::create_symlink("loop", scratch.file("loop"));
  refused(scratch.file("loop"), SPECEX_ERROR_IO, "cannot open");
}

void input_file_larger_than_the_limit_is_refused(void **) {
  const ScratchDirectory scratch;
  scratch.write("huge", {0});
  std::error_code error;
  std::filesystem::resize_file(scratch.file("huge"), uintmax_t{1} << 34, error);
  if (error) skip();
  refused(scratch.file("huge"), SPECEX_ERROR_LIMIT, "larger than");
}

void input_file_gz_is_taken_where_the_plain_one_is_missing(void **) {
  const ScratchDirectory scratch;
  const Bytes content = {'a', 'b', 'c'};
  scratch.write("x.fits.gz", gzipped(content));
  const io::InputFile input(scratch.file("x.fits").c_str());
  assert_true(bytes_of(input.bytes()) == content);
  assert_string_equal(input.name().c_str(), scratch.file("x.fits.gz").c_str());
  scratch.write("x.fits", {'p'});
  assert_true(read(scratch.file("x.fits")) == Bytes{'p'});
}

void input_file_gzip_is_known_by_its_content(void **) {
  const ScratchDirectory scratch;
  const Bytes content(300000, 7);
  assert_true(read(scratch.write("plain-name", gzipped(content))) == content);
  assert_true((read(scratch.write("not-gzip.gz", {1, 2, 3})) == Bytes{1, 2, 3}));
}

void input_file_gzip_members_are_joined(void **) {
  const ScratchDirectory scratch;
  Bytes both = gzipped(Bytes(200000, 1));
  append(both, gzipped({2, 2}));
  Bytes content(200000, 1);
  append(content, {2, 2});
  assert_true(read(scratch.write("two.gz", both)) == content);
}

void input_file_damaged_gzip_is_refused(void **) {
  const ScratchDirectory scratch;
  Bytes whole = gzipped(Bytes(1000, 9));
  for (size_t size = 18; size < whole.size(); ++size)
    refused(scratch.write("cut.gz", {whole.begin(),
                                     whole.begin() + static_cast<std::ptrdiff_t>(size)}),
            SPECEX_ERROR_FORMAT, "gzip");
  whole[whole.size() - 8] ^= 1;  // the sum of the content
  refused(scratch.write("flipped.gz", whole), SPECEX_ERROR_FORMAT, "gzip");
  whole = gzipped(Bytes(1000, 9));
  append(whole, {'j', 'u', 'n', 'k'});
  refused(scratch.write("junk.gz", whole), SPECEX_ERROR_FORMAT, "gzip");
}

void input_file_gzip_bomb_is_refused(void **) {
  const ScratchDirectory scratch;
  Bytes bomb;
  const Bytes member = gzipped(Bytes(32 << 20, 0));
  for (int i = 0; i < 9; ++i) append(bomb, member);
  refused(scratch.write("bomb.gz", bomb), SPECEX_ERROR_LIMIT, "expands to more than");
}

// Nothing in a name means anything to CFITSIO, a shell or a network.
void input_file_hostile_names_are_literal(void **) {
  const ScratchDirectory scratch;
  const Bytes fits = hdu(image_cards(true, 8, {2}, "IMAGE"), {1, 2});
  scratch.write("b.fits", fits);
  const Bytes before = read_bytes(scratch.file("b.fits"));
  for (const char *name : {"!x",
                           "x[1]",
                           "x[1:10,1:10]",
                           "a.fits(!b.fits)[1:2]",
                           "a(b)",
                           "~root",
                           "|id",
                           "-",
                           "@list",
                           "x;touch y",
                           "$(id)",
                           "`id`",
                           "x y",
                           "x\ny",
                           "\t",
                           "x+1",
                           "mem:",
                           "x.fits[pix X*2]",
                           "*",
                           "%s%n",
                           "\xff\xfe",
                           "sh:",
                           "stdin",
                           "'quoted'"}) {
    refused(scratch.file(name), SPECEX_ERROR_IO, "No such file");
    const io::FitsFile file(scratch.write(name, fits).c_str());
    assert_int_equal(file.hdus().size(), 1);
  }
  for (const char *name :
       {"sh://id", "http://localhost/x.fits", "ftp://localhost/x", "root://localhost/x",
        "shmem://h1", "file://x", "mem://x", "stdin://", "-", "~nosuchuser/x.fits"})
    refused(name, SPECEX_ERROR_IO, "cannot open");
  assert_true(read_bytes(scratch.file("b.fits")) == before);
}

void input_file_long_names_give_readable_messages(void **) {
  refused(std::string(5000, 'x'), SPECEX_ERROR_IO, "[...]");
  refused(std::string(5000, 'x'), SPECEX_ERROR_IO, "File name too long");
  const std::string text = io::quoted("two\nlines");
  assert_string_equal(text.c_str(), "'two?lines'");
}

void input_file_wrong_checksum_is_noticed(void **) {
  const ScratchDirectory scratch;
  io::FitsBuilder builder(0);
  builder.begin_image("IMAGE", io::FitsBuilder::Pixels::float32, {20, 30});
  std::vector<float> pixels(600, 1.5F);
  builder.write_pixels(pixels.data(), 600);
  builder.save(scratch.file("built").c_str());
  const Bytes whole = read_bytes(scratch.file("built"));
  const io::FitsFile good(scratch.write("good", whole).c_str());
  const io::Hdu &image = good.hdus().front();
  for (size_t at = image.data_begin; at < image.end; at += 97) {
    Bytes damaged = whole;
    damaged[at] ^= static_cast<uint8_t>(1U << at % 8);
    const std::string name = scratch.write("damaged", damaged);
    expect_error(SPECEX_ERROR_CHECKSUM, "DATASUM",
                 [&name] { io::FitsFile file(name.c_str()); });
  }
  Bytes header_changed = whole;
  header_changed[80 * 20] = 'X';  // after END
  expect_error(SPECEX_ERROR_CHECKSUM, "the header was changed", [&] {
    io::FitsFile file(scratch.write("header", header_changed).c_str());
  });
}

// 100 x 1000 pixels, which are more than is read at a time, and a sum of them.
Bytes image_with_checksum() {
  io::FitsBuilder builder(1);
  builder.begin_image("IMAGE", io::FitsBuilder::Pixels::float32, {100, 1000});
  const std::vector<float> pixels(100000, 1.5F);
  builder.write_pixels(pixels.data(), 100000);
  const ScratchDirectory scratch;
  builder.save(scratch.file("built").c_str());
  return read_bytes(scratch.file("built"));
}

void input_file_wrong_checksum_of_awaited_pixels_is_noticed_when_they_are_read(void **) {
  const ScratchDirectory scratch;
  Bytes bytes = image_with_checksum();
  std::vector<float> pixels(100000);
  const auto read = [&](const char *name) {
    io::FitsFile file(scratch.write(name, bytes).c_str(), 2, {"IMAGE"});
    file.read_pixels(file.require("IMAGE"), pixels.data());
  };
  read("good");
  assert_true(pixels == std::vector<float>(100000, 1.5F));
  bytes[300000] ^= 1;
  expect_error(SPECEX_ERROR_CHECKSUM, "DATASUM", [&] { read("damaged"); });
}

void input_file_that_is_truncated_while_it_is_read_is_an_error(void **) {
  const ScratchDirectory scratch;
  const std::string name = scratch.write("file", image_with_checksum());
  io::FitsFile file(name.c_str(), 2, {"IMAGE"});
  std::filesystem::resize_file(name, 200000);
  std::vector<float> pixels(100000);
  expect_error(SPECEX_ERROR_IO, "became shorter while it was read",
               [&] { file.read_pixels(file.require("IMAGE"), pixels.data()); });
}

// By hand: carries out of the top come back in at the bottom.
void checksum_of_words_wraps_around(void **) {
  const Bytes words = {0xff, 0xff, 0xff, 0xff, 0, 0, 0, 2, 0x80, 0, 0, 0, 0x80, 0, 0, 1};
  assert_int_equal(io::ones_complement_sum(words.data(), words.size()), 4);
}

// Long enough for the way of many bytes at a time.
void checksum_of_many_words_is_that_of_each(void **) {
  specex_test::Random random(3);
  for (const size_t size : {4, 2044, 2048, 2052, 8192, 3 << 20}) {
    Bytes words(size);
    for (const bool all_ones : {false, true}) {
      for (uint8_t &byte : words)
        byte = all_ones ? 0xff : static_cast<uint8_t>(random.bits());
      uint32_t expected = 0;
      for (size_t i = 0; i < size; i += 4) {
        const uint32_t sum = io::ones_complement_sum(words.data() + i, 4);
        expected = io::fold_carries(uint64_t{expected} + sum);
      }
      assert_int_equal(io::ones_complement_sum(words.data(), size), expected);
    }
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(input_file_plain_is_read_whole),
      cmocka_unit_test(input_file_of_no_use_is_refused),
      cmocka_unit_test(input_file_fifo_is_refused_at_once),
      cmocka_unit_test(input_file_socket_is_refused),
      cmocka_unit_test(input_file_loop_of_links_is_refused),
      cmocka_unit_test(input_file_larger_than_the_limit_is_refused),
      cmocka_unit_test(input_file_gz_is_taken_where_the_plain_one_is_missing),
      cmocka_unit_test(input_file_gzip_is_known_by_its_content),
      cmocka_unit_test(input_file_gzip_members_are_joined),
      cmocka_unit_test(input_file_damaged_gzip_is_refused),
      cmocka_unit_test(input_file_gzip_bomb_is_refused),
      cmocka_unit_test(input_file_hostile_names_are_literal),
      cmocka_unit_test(input_file_long_names_give_readable_messages),
      cmocka_unit_test(input_file_wrong_checksum_is_noticed),
      cmocka_unit_test(
          input_file_wrong_checksum_of_awaited_pixels_is_noticed_when_they_are_read),
      cmocka_unit_test(input_file_that_is_truncated_while_it_is_read_is_an_error),
      cmocka_unit_test(checksum_of_words_wraps_around),
      cmocka_unit_test(checksum_of_many_words_is_that_of_each),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
