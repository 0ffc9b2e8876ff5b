// SPDX-License-Identifier: BSD-3-Clause
#include <specex/fits.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <variant>

#include "api/guard.hpp"
#include "base/struct_size.hpp"
#include "io/read_fibermap.hpp"
#include "io/read_frame.hpp"
#include "io/read_image.hpp"
#include "io/read_psf.hpp"
#include "io/write_frame.hpp"
#include "io/write_image.hpp"
#include "io/write_psf.hpp"

struct specex_fits_file {
  std::variant<specex::io::ImageFile, specex::io::PsfFile, specex::io::FrameFile,
               specex::io::FibermapFile>
      content;

  const specex::io::PassThrough &pass() const {
    return std::visit(
        [](const auto &file) -> const specex::io::PassThrough & { return file.pass; },
        content);
  }
};

namespace specex {
namespace {

template <class Read>
specex_status read_file(specex_context *context, specex_fits_file **file, Read read) {
  if (file != nullptr) *file = nullptr;
  return with_context(context, [&](specex_context &own) {
    if (file == nullptr) fail(SPECEX_ERROR_ARGUMENT, "file is NULL");
    *file = new specex_fits_file{read(own.threads)};
    return SPECEX_OK;
  });
}

template <class Content>
const Content &content_of(const specex_fits_file *file, const char *kind) {
  if (file == nullptr) fail(SPECEX_ERROR_ARGUMENT, "file is NULL");
  const auto *content = std::get_if<Content>(&file->content);
  if (content == nullptr)
    fail(SPECEX_ERROR_ARGUMENT, "the file was not read as %s", kind);
  return *content;
}

template <class T>
void give(T *out, const char *name, const T &value) {
  check_struct_size(out, name);
  return_struct(value, out);
}

io::Output copy_output(const specex_fits_output *given, int threads) {
  io::Output output;
  output.threads = threads;
  if (given == nullptr) return output;
  const auto copy = copy_struct(given, "specex_fits_output");
  if (copy.input != nullptr) output.input = &copy.input->pass();
  if (copy.fibermap != nullptr) output.fibermap = &copy.fibermap->pass();
  output.cards = copy.cards;
  output.ncard = copy.ncard;
  output.float64 = copy.float64 != 0;
  output.scores = copy.scores != 0;
  return output;
}

}  // namespace
}  // namespace specex

using namespace specex;

specex_status specex_fits_read_image(specex_context *context, const char *path,
                                     int64_t badmask, specex_fits_file **file) {
  return read_file(context, file, [&](int threads) {
    if (badmask < 0 || badmask > 0xffffffff)
      fail(SPECEX_ERROR_ARGUMENT, "badmask = %lld is not a mask of 32 bits",
           static_cast<long long>(badmask));
    return io::read_image(path, static_cast<uint32_t>(badmask), threads);
  });
}

specex_status specex_fits_read_psf(specex_context *context, const char *path,
                                   specex_fits_file **file) {
  return read_file(context, file, [&](int) { return io::read_psf(path); });
}

specex_status specex_fits_read_frame(specex_context *context, const char *path,
                                     specex_fits_file **file) {
  return read_file(context, file,
                   [&](int threads) { return io::read_frame(path, threads); });
}

specex_status specex_fits_read_fibermap(specex_context *context, const char *path,
                                        specex_fits_file **file) {
  return read_file(context, file, [&](int) { return io::read_fibermap(path); });
}

void specex_fits_free(specex_fits_file *file) { delete file; }

specex_status specex_fits_get_image(const specex_fits_file *file, specex_image *image) {
  return without_context([&] {
    const auto &content = content_of<io::ImageFile>(file, "an image");
    give(image, "specex_image", content.view());
    return SPECEX_OK;
  });
}

specex_status specex_fits_get_psf(const specex_fits_file *file, specex_psf *psf) {
  return without_context([&] {
    give(psf, "specex_psf", content_of<io::PsfFile>(file, "a PSF").psf);
    return SPECEX_OK;
  });
}

specex_status specex_fits_get_frame(const specex_fits_file *file, specex_frame *frame) {
  return without_context([&] {
    give(frame, "specex_frame", content_of<io::FrameFile>(file, "a frame").frame);
    return SPECEX_OK;
  });
}

specex_status specex_fits_get_key(const specex_fits_file *file, const char *name,
                                  char *buffer, int64_t capacity) {
  return without_context([&] {
    if (buffer == nullptr || capacity < 1)
      fail(SPECEX_ERROR_ARGUMENT, "buffer is NULL or capacity is less than 1");
    buffer[0] = '\0';
    if (file == nullptr) fail(SPECEX_ERROR_ARGUMENT, "file is NULL");
    if (name == nullptr) fail(SPECEX_ERROR_ARGUMENT, "name is NULL");
    const auto value = file->pass().keys.text(name);
    if (!value) fail(SPECEX_ERROR_ARGUMENT, "the file's headers have no key %.80s", name);
    const size_t length = std::min(value->size(), static_cast<size_t>(capacity) - 1);
    std::memcpy(buffer, value->data(), length);
    buffer[length] = '\0';
    return SPECEX_OK;
  });
}

specex_status specex_fits_write_frame(specex_context *context, const char *path,
                                      const specex_frame *frame,
                                      const specex_fits_output *output) {
  return with_context(context, [&](specex_context &own) {
    io::write_frame(path, copy_struct(frame, "specex_frame"),
                    copy_output(output, own.threads));
    return SPECEX_OK;
  });
}

specex_status specex_fits_write_image(specex_context *context, const char *path,
                                      const specex_image *image, const int32_t *mask,
                                      const specex_fits_output *output) {
  return with_context(context, [&](specex_context &own) {
    io::write_image(path, copy_struct(image, "specex_image"), mask,
                    copy_output(output, own.threads));
    return SPECEX_OK;
  });
}

specex_status specex_fits_write_psf(specex_context *context, const char *path,
                                    const specex_psf *psf,
                                    const specex_fits_output *output) {
  return with_context(context, [&](specex_context &own) {
    io::write_psf(path, copy_struct(psf, "specex_psf"), copy_output(output, own.threads));
    return SPECEX_OK;
  });
}
