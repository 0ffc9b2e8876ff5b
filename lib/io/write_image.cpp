// SPDX-License-Identifier: BSD-3-Clause
#include "io/write_image.hpp"

#include "base/array_memory.hpp"
#include "base/error.hpp"

namespace specex::io {
namespace {

void check(const specex_image &image) {
  if (image.type != SPECEX_FLOAT32 && image.type != SPECEX_FLOAT64)
    fail(SPECEX_ERROR_ARGUMENT,
         "image.type = %d is not one of SPECEX_FLOAT32 and _FLOAT64", image.type);
  check_host_memory("image", image.memory);
  int64_t pixels = 0;
  if (image.nx < 1 || image.ny < 1 ||
      __builtin_mul_overflow(image.nx, image.ny, &pixels) || pixels > limits::pixels)
    fail(SPECEX_ERROR_ARGUMENT, "image.nx = %lld or image.ny = %lld is not valid",
         static_cast<long long>(image.nx), static_cast<long long>(image.ny));
  if (image.pixels == nullptr) fail(SPECEX_ERROR_ARGUMENT, "image.pixels is NULL");
  if (image.pixels_stride < image.nx ||
      (image.ivar != nullptr && image.ivar_stride < image.nx))
    fail(SPECEX_ERROR_ARGUMENT, "a stride of the image is less than image.nx");
}

template <class T>
void write_rows(FitsBuilder &builder, const T *pixels, int64_t stride,
                const specex_image &image) {
  if (stride == image.nx)
    builder.write_pixels(pixels, image.nx * image.ny);
  else
    for (int64_t y = 0; y < image.ny; ++y)
      builder.write_pixels(pixels + y * stride, image.nx);
}

void write_plane(FitsBuilder &builder, const void *pixels, int64_t stride,
                 const specex_image &image) {
  if (image.type == SPECEX_FLOAT32)
    write_rows(builder, static_cast<const float *>(pixels), stride, image);
  else
    write_rows(builder, static_cast<const double *>(pixels), stride, image);
}

}  // namespace

void write_image(const char *name, const specex_image &image, const int32_t *mask,
                 const Output &output) {
  check(image);
  check_cards(output.cards, output.ncard);
  const std::vector<int64_t> shape = {image.ny, image.nx};
  FitsBuilder builder(output.threads);
  builder.begin_image("IMAGE", output.real(), shape);
  write_keys(builder, output.keys(), output.cards, output.ncard, {});
  if (!has_card(output.cards, output.ncard, "BUNIT"))
    builder.write_text("BUNIT", "electron", nullptr);
  write_plane(builder, image.pixels, image.pixels_stride, image);
  if (image.ivar != nullptr) {
    builder.begin_image("IVAR", output.real(), shape);
    write_plane(builder, image.ivar, image.ivar_stride, image);
  }
  if (mask != nullptr) {
    builder.begin_image("MASK", Pixels::int32, shape);
    builder.write_pixels(mask, image.nx * image.ny);
  }
  if (const Buffer *fibermap = output.fibermap_file()) {
    FitsFile file("the FIBERMAP passed through", fibermap->clone());
    const Hdu &table = file.hdus().back();
    builder.copy_table(file, table, 0, table.nrow);
  }
  builder.save(name);
}

}  // namespace specex::io
