// SPDX-License-Identifier: BSD-3-Clause
#include "io/fits_file.hpp"

#include <fitsio.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <limits>
#include <mutex>
#include <utility>

#include "base/deal.hpp"
#include "base/error.hpp"
#include "io/checksum.hpp"
#include "io/file_name.hpp"
#include "io/input_file.hpp"
#include "io/pixels.hpp"

namespace specex::io {
namespace {

// CFITSIO built without thread support must be entered by one thread at a time.
std::unique_lock<std::recursive_mutex> cfitsio_lock() {
  static std::recursive_mutex mutex;
  if (fits_is_reentrant() != 0) return {};
  return std::unique_lock(mutex);
}

std::string status_text(int status) {
  std::array<char, FLEN_STATUS> text{};
  fits_get_errstatus(status, text.data());
  fits_clear_errmsg();
  return text.data();
}

// CFITSIO wants char * where it only reads.
char *unconst(const char *text) { return const_cast<char *>(text); }

constexpr std::string_view checksum_card =
    "CHECKSUM= '0000000000000000'   / of this HDU                                    ";
constexpr std::string_view datasum_card =
    "DATASUM = '0000000000'         / of the data of this HDU                        ";
static_assert(checksum_card.size() == card_size && datasum_card.size() == card_size);
constexpr size_t value_begin = 11;  // of a quoted value in a card
constexpr size_t number_end = 30;   // of a number in a card

// CFITSIO scales pixels, expands them and turns them into other types. What needs nothing
// of this does not need CFITSIO.
bool is_plain(const Hdu &hdu, int bitpix) {
  return hdu.kind == HduKind::image && hdu.bitpix == bitpix &&
         hdu.header.count("BSCALE") == 0 && hdu.header.count("BZERO") == 0;
}

size_t pixel_count(const Hdu &hdu) {
  size_t count = 1;
  for (const int64_t axis : hdu.shape) count *= static_cast<size_t>(axis);
  return count;
}

// Bytes of an image, without filling.
size_t image_size(const Hdu &hdu) {
  return pixel_count(hdu) * static_cast<size_t>(std::abs(hdu.bitpix) / 8);
}

// What is read at a time; it stays in the cache until it is where it is wanted.
constexpr size_t part_size = 1 << 16;  // bytes

uint8_t *find_card(Buffer &bytes, const Hdu &hdu, std::string_view name) {
  const auto &cards = hdu.header.cards();
  const auto card =
      std::find_if(cards.begin(), cards.end(),
                   [name](std::string_view text) { return card_name(text) == name; });
  if (card == cards.end())
    specex::fail(SPECEX_ERROR_INTERNAL, "an HDU was built without %s",
                 std::string(name).c_str());
  return bytes.data() + hdu.header_begin +
         static_cast<size_t>(card - cards.begin()) * card_size;
}

// Fills the reserved cards. CFITSIO's own would put the time into the file, and equal
// runs should make equal files.
void fill_checksums(Buffer &bytes, const Hdu &hdu, uint32_t data) {
  std::array<char, 11> digits{};
  std::snprintf(digits.data(), digits.size(), "%010u", data);
  std::memcpy(find_card(bytes, hdu, "DATASUM") + value_begin, digits.data(), 10);
  const uint32_t header = ones_complement_sum(bytes.data() + hdu.header_begin,
                                              hdu.data_begin - hdu.header_begin);
  const uint32_t all = fold_carries(uint64_t{header} + data);
  std::array<char, 17> encoded{};
  fits_encode_chksum(all, TRUE, encoded.data());
  std::memcpy(find_card(bytes, hdu, "CHECKSUM") + value_begin, encoded.data(), 16);
}

// Gives an image that was built without pixels its axes.
void fill_axes(Buffer &bytes, const Hdu &hdu, const ImageData &image) {
  const auto &shape = image.shape();
  for (size_t i = 0; i < shape.size(); ++i) {
    const std::string name = indexed("NAXIS", static_cast<int64_t>(shape.size() - i));
    const std::string card = number_card(name, std::to_string(shape[i]), "");
    std::memcpy(find_card(bytes, hdu, name), card.data(), number_end);
  }
}

// Puts pixels and filling; returns their sum.
uint32_t write_data(const ImageData &image, size_t at, const Put &put, int threads) {
  constexpr std::array<uint8_t, block_size> zeros{};
  const size_t size = image.size();
  put(at + size, zeros.data(), filled_up(size) - size);
  return image.write(at, put, threads);
}

}  // namespace

// ------------------------------------------------------------------ reading

struct FitsFile::Handle {
  ~Handle() {
    if (fits == nullptr) return;
    int ignored = 0;
    fits_close_file(fits, &ignored);
  }
  std::unique_lock<std::recursive_mutex> lock = cfitsio_lock();
  fitsfile *fits = nullptr;
  void *memory = nullptr;
  size_t size = 0;
  int status = 0;
};

FitsFile::FitsFile(const char *name, int threads,
                   const std::vector<std::string_view> &awaited)
    : file_(name, threads), threads_(threads) {
  open(awaited);
}

FitsFile::FitsFile(std::string name, Buffer bytes)
    : file_(std::move(name), std::move(bytes)) {
  open({});
}

FitsFile::~FitsFile() = default;

void FitsFile::open(const std::vector<std::string_view> &awaited) {
  hdus_ = check_fits(file_.bytes(), name(),
                     [this](size_t begin, size_t end) { file_.fetch(begin, end); });
  for (const Hdu &hdu : hdus_) {
    verified_.push_back(!has_checksums(hdu));
    const bool later =
        hdu.kind == HduKind::image && find(hdu.name) == &hdu &&
        std::find(awaited.begin(), awaited.end(), hdu.name) != awaited.end();
    if (!later) verify(hdu);
  }
  handle_ = std::make_unique<Handle>();
  handle_->memory = file_.bytes().data();
  handle_->size = hdus_.back().end;  // without filling after the last HDU
  fits_open_memfile(&handle_->fits, "memory", READONLY, &handle_->memory, &handle_->size,
                    0, nullptr, &handle_->status);
  check();
}

void FitsFile::fail(specex_status status, const char *format, ...) const {
  std::array<char, 512> text{};
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text.data(), text.size(), format, arguments);
  va_end(arguments);
  specex::fail(status, "%s: %s", quoted(name()).c_str(), text.data());
}

void FitsFile::check() {
  const int status = std::exchange(handle_->status, 0);
  if (status == 0) return;
  const std::string text = status_text(status);
  if (status == MEMORY_ALLOCATION) throw std::bad_alloc();
  fail(SPECEX_ERROR_FORMAT, "CFITSIO cannot read it: %s", text.c_str());
}

FitsFile::Handle &FitsFile::at(const Hdu &hdu) {
  fits_movabs_hdu(handle_->fits, hdu.number + 1, nullptr, &handle_->status);
  check();
  return *handle_;
}

const Hdu *FitsFile::find(std::string_view extname) const {
  const auto hdu = std::find_if(hdus_.begin(), hdus_.end(),
                                [extname](const Hdu &h) { return h.name == extname; });
  return hdu == hdus_.end() ? nullptr : &*hdu;
}

const Hdu &FitsFile::require(std::string_view extname) const {
  const Hdu *hdu = find(extname);
  if (hdu != nullptr) return *hdu;
  std::string names;
  for (const Hdu &h : hdus_) {
    if (!names.empty()) names += ", ";
    names += h.name.empty() ? "(unnamed)" : h.name;
  }
  fail(SPECEX_ERROR_FORMAT, "it has no HDU named %s; it has %.300s",
       std::string(extname).c_str(), names.c_str());
}

const Hdu &FitsFile::require_image(std::string_view extname) const {
  const Hdu &hdu = require(extname);
  if (!hdu.has_pixels())
    fail(SPECEX_ERROR_FORMAT, "%s is not an image that has pixels", hdu.label().c_str());
  return hdu;
}

const Hdu &FitsFile::require_table(std::string_view extname) const {
  const Hdu &hdu = require(extname);
  if (hdu.kind != HduKind::table)
    fail(SPECEX_ERROR_FORMAT, "%s is not a binary table", hdu.label().c_str());
  return hdu;
}

// Hands the pixels of an image on in parts, by several threads at a time, and verifies
// them if that has not been done yet. Of other data it only does the latter.
void FitsFile::visit_data(const Hdu &hdu, const TakeBytes &take) {
  const size_t size = hdu.kind == HduKind::image ? image_size(hdu) : 0;
  const bool sums = !verified_[static_cast<size_t>(hdu.number)];
  std::atomic<uint64_t> sum{0};
  deal_parts(threads_, hdu.end - hdu.data_begin, part_size,
             [&](size_t begin, size_t end) {
               alignas(64) std::array<uint8_t, part_size> room;
               const uint8_t *bytes =
                   file_.look(hdu.data_begin + begin, hdu.data_begin + end, room.data());
               if (sums) sum += ones_complement_sum(bytes, end - begin);
               if (begin < size) take(begin, bytes, std::min(end, size) - begin);
             });
  if (sums) verify_checksums(hdu, file_.bytes(), fold_carries(sum), name());
  verified_[static_cast<size_t>(hdu.number)] = true;
}

void FitsFile::verify(const Hdu &hdu) {
  if (!verified_[static_cast<size_t>(hdu.number)])
    visit_data(hdu, [](size_t, const uint8_t *, size_t) {});
}

template <class Stored, class T>
void FitsFile::decode_image(const Hdu &hdu, T *pixels) {
  visit_data(hdu, [pixels](size_t first, const uint8_t *bytes, size_t size) {
    decode<Stored>(bytes, size / sizeof(Stored), pixels + first / sizeof(Stored));
  });
}

template <class T>
void FitsFile::read_image(const Hdu &hdu, int type, T *pixels, const T *undefined) {
  Handle &handle = at(hdu);
  const auto count = static_cast<LONGLONG>(pixel_count(hdu));
  if (count == 0) return;
  if (hdu.kind == HduKind::image) {
    file_.fetch(hdu.data_begin, hdu.end);
    verify(hdu);
  }
  std::vector<LONGLONG> first(hdu.shape.size(), 1);
  T copy = undefined != nullptr ? *undefined : T{};
  int any = 0;
  fits_read_pixll(handle.fits, type, first.data(), count,
                  undefined != nullptr ? &copy : nullptr, pixels, &any, &handle.status);
  check();
}

void FitsFile::read_pixels(const Hdu &hdu, float *pixels) {
  if (is_plain(hdu, FLOAT_IMG)) return decode_image<float>(hdu, pixels);
  // NaNs of a plain float image are read as they are, which is faster.
  const float undefined = std::numeric_limits<float>::quiet_NaN();
  const bool plain = hdu.kind == HduKind::image && hdu.bitpix < 0;
  read_image(hdu, TFLOAT, pixels, plain ? nullptr : &undefined);
}

void FitsFile::read_pixels(const Hdu &hdu, double *pixels) {
  if (is_plain(hdu, FLOAT_IMG)) return decode_image<float>(hdu, pixels);
  if (is_plain(hdu, DOUBLE_IMG)) return decode_image<double>(hdu, pixels);
  const double undefined = std::numeric_limits<double>::quiet_NaN();
  const bool plain = hdu.kind == HduKind::image && hdu.bitpix < 0;
  read_image(hdu, TDOUBLE, pixels, plain ? nullptr : &undefined);
}

void FitsFile::read_bits(const Hdu &hdu, uint32_t *pixels) {
  if (hdu.bitpix < 0)
    fail(SPECEX_ERROR_FORMAT, "%s holds floating-point numbers, but bits are expected",
         hdu.label().c_str());
  if (is_plain(hdu, LONG_IMG)) return decode_image<uint32_t>(hdu, pixels);
  const bool is_unsigned =
      hdu.bitpix == 32 && hdu.header.real("BZERO").value_or(0) == 2147483648.0;
  if (is_unsigned)
    read_image<uint32_t>(hdu, TUINT, pixels, nullptr);
  else
    read_image<int32_t>(hdu, TINT, reinterpret_cast<int32_t *>(pixels), nullptr);
}

void FitsFile::visit_bits(const Hdu &hdu, const TakeBits &take) {
  const size_t count = pixel_count(hdu);
  if (!is_plain(hdu, LONG_IMG)) {
    Buffer bits(count * sizeof(uint32_t));
    read_bits(hdu, bits.as<uint32_t>());
    return take(0, bits.as<uint32_t>(), count);
  }
  visit_data(hdu, [&take](size_t first, const uint8_t *bytes, size_t size) {
    std::array<uint32_t, part_size / sizeof(uint32_t)> bits;
    decode<uint32_t>(bytes, size / sizeof(uint32_t), bits.data());
    take(first / sizeof(uint32_t), bits.data(), size / sizeof(uint32_t));
  });
}

FitsFile::Column FitsFile::find_column(const Hdu &hdu, const char *column) {
  Handle &handle = at(hdu);
  Column found;
  fits_get_colnum(handle.fits, CASEINSEN, unconst(column), &found.number, &handle.status);
  if (handle.status == COL_NOT_FOUND) {
    handle.status = 0;
    fits_clear_errmsg();
    return {};
  }
  int type = 0;
  LONGLONG repeat = 0;
  fits_get_coltypell(handle.fits, found.number, &type, &repeat, nullptr, &handle.status);
  int naxis = 0;
  std::array<LONGLONG, limits::axes> axes{};
  fits_read_tdimll(handle.fits, found.number, limits::axes, &naxis, axes.data(),
                   &handle.status);
  check();
  found.is_text = type == TSTRING;
  found.repeat = repeat;
  const auto used = axes.begin() + std::min<int>(naxis, limits::axes);
  found.shape.assign(std::make_reverse_iterator(used), axes.rend());
  return found;
}

FitsFile::Column FitsFile::require_column(const Hdu &hdu, const char *column) {
  Column found = find_column(hdu, column);
  if (found.number == 0)
    fail(SPECEX_ERROR_FORMAT, "%s has no column %s", hdu.label().c_str(), column);
  return found;
}

std::vector<std::string> FitsFile::read_texts(const Hdu &hdu, const char *column) {
  const Column found = require_column(hdu, column);
  if (!found.is_text)  // CFITSIO would print numbers, and longer than the column is wide
    fail(SPECEX_ERROR_FORMAT, "column %s of %s is not one of texts of fixed length",
         column, hdu.label().c_str());
  const auto nrow = static_cast<size_t>(hdu.nrow);
  const auto width = static_cast<size_t>(found.repeat) + 1;
  std::vector<char> characters(nrow * width, '\0');
  std::vector<char *> rows(nrow);
  for (size_t i = 0; i < nrow; ++i) rows[i] = characters.data() + i * width;
  Handle &handle = *handle_;
  int any = 0;
  if (nrow > 0)
    fits_read_col(handle.fits, TSTRING, found.number, 1, 1, hdu.nrow, unconst(""),
                  rows.data(), &any, &handle.status);
  check();
  std::vector<std::string> texts;
  for (const char *row : rows) texts.emplace_back(trim(row));
  return texts;
}

std::vector<double> FitsFile::read_reals(const Hdu &hdu, const char *column) {
  const Column found = require_column(hdu, column);
  std::vector<double> values(static_cast<size_t>(hdu.nrow * found.repeat));
  int any = 0;
  if (!values.empty())
    fits_read_col(handle_->fits, TDOUBLE, found.number, 1, 1,
                  static_cast<LONGLONG>(values.size()), nullptr, values.data(), &any,
                  &handle_->status);
  check();
  return values;
}

std::vector<int64_t> FitsFile::read_integers(const Hdu &hdu, const char *column) {
  const Column found = require_column(hdu, column);
  std::vector<LONGLONG> values(static_cast<size_t>(hdu.nrow * found.repeat));
  int any = 0;
  if (!values.empty())
    fits_read_col(handle_->fits, TLONGLONG, found.number, 1, 1,
                  static_cast<LONGLONG>(values.size()), nullptr, values.data(), &any,
                  &handle_->status);
  check();
  return {values.begin(), values.end()};
}

Buffer FitsFile::extract(const Hdu &hdu) const {
  std::string primary;
  for (const auto &[name, value] : {std::pair{"SIMPLE", "T"}, std::pair{"BITPIX", "8"},
                                    std::pair{"NAXIS", "0"}, std::pair{"EXTEND", "T"}})
    primary += number_card(name, value, "");
  primary += "END";
  primary.resize(block_size, ' ');
  Buffer copy(block_size + hdu.end - hdu.header_begin);
  std::memcpy(copy.data(), primary.data(), block_size);
  std::memcpy(copy.data() + block_size, file_.bytes().data() + hdu.header_begin,
              hdu.end - hdu.header_begin);
  return copy;
}

// ------------------------------------------------------------------ building

struct FitsBuilder::Handle {
  ~Handle() {
    if (fits != nullptr) {
      int ignored = 0;
      fits_close_file(fits, &ignored);
    }
    std::free(memory);
  }
  std::unique_lock<std::recursive_mutex> lock = cfitsio_lock();
  fitsfile *fits = nullptr;
  void *memory = nullptr;
  size_t size = block_size;
  int status = 0;
  bool sealed = true;  // the current HDU has its checksum cards
};

FitsBuilder::FitsBuilder(int threads)
    : handle_(std::make_unique<Handle>()), threads_(threads) {
  handle_->memory = std::calloc(block_size, 1);
  if (handle_->memory == nullptr) throw std::bad_alloc();
  constexpr size_t growth = size_t{1} << 20;
  fits_create_memfile(&handle_->fits, &handle_->memory, &handle_->size, growth,
                      std::realloc, &handle_->status);
  check("create a file");
}

FitsBuilder::~FitsBuilder() = default;

void FitsBuilder::check(const char *what) {
  const int status = std::exchange(handle_->status, 0);
  if (status == 0) return;
  const std::string text = status_text(status);
  if (status == MEMORY_ALLOCATION) throw std::bad_alloc();
  fail(SPECEX_ERROR_INTERNAL, "cannot %s in memory: CFITSIO says: %s", what,
       text.c_str());
}

void FitsBuilder::begin_image(const char *extname, Pixels type,
                              const std::vector<int64_t> &shape) {
  reserve_checksums();
  int bitpix = FLOAT_IMG;
  if (type == Pixels::float64) bitpix = DOUBLE_IMG;
  if (type == Pixels::int32) bitpix = LONG_IMG;
  if (type == Pixels::uint32) bitpix = ULONG_IMG;
  std::vector<LONGLONG> axes(shape.size(), 0);  // until save() knows them
  fits_create_imgll(handle_->fits, bitpix, static_cast<int>(axes.size()), axes.data(),
                    &handle_->status);
  check("begin an image");
  int number = 0;
  fits_get_hdu_num(handle_->fits, &number);
  images_.emplace_back(number - 1, type, shape);
  handle_->sealed = false;
  write_text("EXTNAME", extname, nullptr);
}

void FitsBuilder::begin_table(const char *extname, int64_t nrow,
                              const std::vector<Column> &columns) {
  reserve_checksums();
  std::vector<char *> names;
  std::vector<char *> forms;
  for (const Column &column : columns) {
    names.push_back(unconst(column.name.c_str()));
    forms.push_back(unconst(column.form.c_str()));
  }
  fits_create_tbl(handle_->fits, BINARY_TBL, nrow, static_cast<int>(columns.size()),
                  names.data(), forms.data(), nullptr, extname, &handle_->status);
  for (size_t i = 0; i < columns.size(); ++i)
    if (!columns[i].comment.empty())
      fits_modify_comment(handle_->fits,
                          indexed("TTYPE", static_cast<int64_t>(i) + 1).c_str(),
                          columns[i].comment.c_str(), &handle_->status);
  check("begin a table");
  handle_->sealed = false;
}

void FitsBuilder::write_text(const char *name, const std::string &value,
                             const char *comment) {
  fits_write_key_longstr(handle_->fits, name, value.c_str(), comment, &handle_->status);
  check("write a key");
}

void FitsBuilder::write_integer(const char *name, int64_t value, const char *comment) {
  fits_write_key_lng(handle_->fits, name, value, comment, &handle_->status);
  check("write a key");
}

// The shortest text that reads back as the same number.
void FitsBuilder::write_real(const char *name, double value, const char *comment) {
  if (!std::isfinite(value))
    fail(SPECEX_ERROR_ARGUMENT, "%s would be %g, which a FITS key cannot be", name,
         value);
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.begin(), digits.end(), value).ptr;
  std::string text(digits.begin(), end);
  std::replace(text.begin(), text.end(), 'e', 'E');
  if (text.find_first_of(".E") == std::string::npos) text += ".0";
  write_raw_card(number_card(name, text, comment == nullptr ? "" : comment));
}

void FitsBuilder::write_card(const specex_fits_card &card) {
  const std::string_view name = card.name;
  if (name == "COMMENT") {
    fits_write_comment(handle_->fits, card.value, &handle_->status);
  } else if (name == "HISTORY") {
    fits_write_history(handle_->fits, card.value, &handle_->status);
  } else if (card.type == SPECEX_CARD_TEXT) {
    fits_write_key_longstr(handle_->fits, card.name, card.value, card.comment,
                           &handle_->status);
  } else {
    write_raw_card(number_card(name, card.value, card.comment ? card.comment : ""));
  }
  check("write a key");
}

void FitsBuilder::write_raw_card(const std::string &card) {
  fits_write_record(handle_->fits, card.c_str(), &handle_->status);
  check("write a key");
}

void FitsBuilder::write_pixels(ImageData::Source pixels, int64_t count) {
  reserve_checksums();
  images_.back().add(pixels, count);
}

void FitsBuilder::write_column(int column, const std::vector<std::string> &values) {
  reserve_checksums();
  std::vector<char *> rows;
  for (const std::string &value : values) rows.push_back(unconst(value.c_str()));
  fits_write_col(handle_->fits, TSTRING, column, 1, 1, static_cast<LONGLONG>(rows.size()),
                 rows.data(), &handle_->status);
  check("write a column");
}

void FitsBuilder::write_column(int column, const double *values, int64_t count) {
  reserve_checksums();
  fits_write_col(handle_->fits, TDOUBLE, column, 1, 1, count,
                 const_cast<double *>(values), &handle_->status);
  check("write a column");
}

void FitsBuilder::write_column(int column, const std::vector<int64_t> &values) {
  reserve_checksums();
  std::vector<LONGLONG> copy(values.begin(), values.end());
  fits_write_col(handle_->fits, TLONGLONG, column, 1, 1,
                 static_cast<LONGLONG>(copy.size()), copy.data(), &handle_->status);
  check("write a column");
}

void FitsBuilder::copy_table(FitsFile &source, const Hdu &table, int64_t first,
                             int64_t count) {
  reserve_checksums();
  fits_copy_hdu(source.at(table).fits, handle_->fits, 0, &handle_->status);
  check("copy a table");
  const int64_t after = table.nrow - first - count;
  if (after > 0)
    fits_delete_rows(handle_->fits, first + count + 1, after, &handle_->status);
  if (first > 0) fits_delete_rows(handle_->fits, 1, first, &handle_->status);
  for (const char *sum : {"CHECKSUM", "DATASUM"})
    if (table.header.count(sum) > 0)
      fits_delete_key(handle_->fits, sum, &handle_->status);
  check("copy a table");
  handle_->sealed = false;
}

// Their values are filled in when the file is finished.
void FitsBuilder::reserve_checksums() {
  if (handle_->sealed) return;
  handle_->sealed = true;
  write_raw_card(std::string(checksum_card));
  write_raw_card(std::string(datasum_card));
}

Buffer FitsBuilder::finish_without_pixels() {
  reserve_checksums();
  fits_flush_file(handle_->fits, &handle_->status);
  LONGLONG end = 0;
  fits_get_hduaddrll(handle_->fits, nullptr, nullptr, &end, &handle_->status);
  check("finish a file");
  fits_close_file(std::exchange(handle_->fits, nullptr), &handle_->status);
  check("finish a file");
  return {std::exchange(handle_->memory, nullptr), static_cast<size_t>(end)};
}

void FitsBuilder::save(const char *name) {
  Buffer built = finish_without_pixels();
  size_t size = built.size();
  for (const ImageData &image : images_) size += filled_up(image.size());
  replace_file(name, size, [&](const Put &put) { write(built, put); });
}

// What has been built moves up, by the pixels that come before it.
void FitsBuilder::write(Buffer &built, const Put &put) const {
  size_t pixels = 0;
  auto image = images_.begin();
  for (const Hdu &hdu : check_fits(built, "the file built in memory")) {
    const size_t at = hdu.header_begin + pixels;
    uint32_t sum = 0;
    if (image != images_.end() && image->hdu() == hdu.number) {
      fill_axes(built, hdu, *image);
      sum = write_data(*image, hdu.data_begin + pixels, put, threads_);
      pixels += filled_up(image++->size());
    } else {
      sum = ones_complement_sum(built.data() + hdu.data_begin, hdu.end - hdu.data_begin);
    }
    fill_checksums(built, hdu, sum);
    put(at, built.data() + hdu.header_begin, hdu.end - hdu.header_begin);
  }
}

}  // namespace specex::io
