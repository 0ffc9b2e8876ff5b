// SPDX-License-Identifier: BSD-3-Clause
//
// FitsFile reads a FITS file that the guard has passed, FitsBuilder makes one. CFITSIO
// does the work in memory and never sees a file name. Pixels that only need their bytes
// reversed go past it, part by part, from the file to where they are wanted.
#pragma once

#include <specex/fits.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/buffer.hpp"
#include "io/fits_guard.hpp"
#include "io/image_data.hpp"
#include "io/input_file.hpp"

namespace specex::io {

class FitsFile {
 public:
  // Checks the structure and the checksums of a file; but of images that are `awaited`,
  // the checksums are checked when their pixels are read, so that these are read once.
  // Errors: those of InputFile, check_fits and verify_checksums.
  explicit FitsFile(const char *name, int threads = 1,
                    const std::vector<std::string_view> &awaited = {});
  // A file that is in memory already.
  FitsFile(std::string name, Buffer bytes);
  ~FitsFile();
  FitsFile(const FitsFile &) = delete;
  FitsFile &operator=(const FitsFile &) = delete;

  const std::string &name() const { return file_.name(); }
  const std::vector<Hdu> &hdus() const { return hdus_; }

  // By EXTNAME; the first of that name.
  const Hdu *find(std::string_view extname) const;
  const Hdu &require(std::string_view extname) const;
  // Also checks that it is an image, or a table.
  const Hdu &require_image(std::string_view extname) const;
  const Hdu &require_table(std::string_view extname) const;

  // All pixels of an image, with BSCALE and BZERO applied; undefined ones become NaN.
  void read_pixels(const Hdu &hdu, float *pixels);
  void read_pixels(const Hdu &hdu, double *pixels);
  // Integer images only; negative values as their two's complement.
  void read_bits(const Hdu &hdu, uint32_t *pixels);
  // As read_bits, but hands the pixels on in parts, by several threads at a time.
  using TakeBits = std::function<void(size_t first, const uint32_t *bits, size_t count)>;
  void visit_bits(const Hdu &hdu, const TakeBits &take);

  struct Column {
    int number = 0;              // 0: there is none of that name
    bool is_text = false;        // of a fixed length
    int64_t repeat = 0;          // elements a row
    std::vector<int64_t> shape;  // of an element array, slowest axis first
  };
  Column find_column(const Hdu &hdu, const char *column);
  // All rows of a column, which must exist.
  std::vector<std::string> read_texts(const Hdu &hdu, const char *column);
  std::vector<double> read_reals(const Hdu &hdu, const char *column);
  std::vector<int64_t> read_integers(const Hdu &hdu, const char *column);

  // A table as a file of its own, its bytes unchanged.
  Buffer extract(const Hdu &hdu) const;

  // Fails with "'name': <message>".
  [[noreturn]] [[gnu::format(__printf__, 3, 4)]] void fail(specex_status status,
                                                           const char *format, ...) const;

 private:
  friend class FitsBuilder;
  struct Handle;

  void open(const std::vector<std::string_view> &awaited);
  void check();
  using TakeBytes = std::function<void(size_t first, const uint8_t *bytes, size_t size)>;
  void visit_data(const Hdu &hdu, const TakeBytes &take);
  void verify(const Hdu &hdu);
  Handle &at(const Hdu &hdu);
  Column require_column(const Hdu &hdu, const char *column);
  template <class T>
  void read_image(const Hdu &hdu, int type, T *pixels, const T *undefined);

  template <class Stored, class T>
  void decode_image(const Hdu &hdu, T *pixels);

  InputFile file_;
  int threads_ = 1;
  std::vector<Hdu> hdus_;
  std::vector<bool> verified_;  // or without checksums
  std::unique_ptr<Handle> handle_;
};

// Keys of an HDU are written before its pixels or rows, so that nothing has to move.
// CFITSIO makes headers and tables; the pixels, nearly all of a file, are put in last.
class FitsBuilder {
 public:
  explicit FitsBuilder(int threads = 1);
  ~FitsBuilder();
  FitsBuilder(const FitsBuilder &) = delete;
  FitsBuilder &operator=(const FitsBuilder &) = delete;

  using Pixels = io::Pixels;
  // Begins an image HDU. The first HDU of a file is an image.
  void begin_image(const char *extname, Pixels type, const std::vector<int64_t> &shape);

  struct Column {
    std::string name;
    std::string form;  // TFORM: "8A", "100D"
    std::string comment;
  };
  void begin_table(const char *extname, int64_t nrow, const std::vector<Column> &columns);

  void write_text(const char *name, const std::string &value, const char *comment);
  void write_integer(const char *name, int64_t value, const char *comment);
  void write_real(const char *name, double value, const char *comment);
  void write_card(const specex_fits_card &card);
  void write_raw_card(const std::string &card);

  // The next `count` pixels of the image begun last. It is save() that reads them.
  void write_pixels(ImageData::Source pixels, int64_t count);

  // A whole column of the table begun last, counted from 1.
  void write_column(int column, const std::vector<std::string> &values);
  void write_column(int column, const double *values, int64_t count);
  void write_column(int column, const std::vector<int64_t> &values);

  // Appends rows [first, first + count) of a table, with its header.
  void copy_table(FitsFile &source, const Hdu &table, int64_t first, int64_t count);

  // Replaces a file by what was built, with CHECKSUM and DATASUM in every HDU. Errors:
  // those of replace_file; ARGUMENT (a pixel does not fit in a float32).
  void save(const char *name);

 private:
  struct Handle;

  void reserve_checksums();
  void check(const char *what);
  Buffer finish_without_pixels();
  void write(Buffer &built, const Put &put) const;

  std::unique_ptr<Handle> handle_;
  std::vector<ImageData> images_;
  int threads_;
};

}  // namespace specex::io
