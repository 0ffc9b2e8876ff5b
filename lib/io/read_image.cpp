// SPDX-License-Identifier: BSD-3-Clause
#include "io/read_image.hpp"

#include "base/error.hpp"

namespace specex::io {
namespace {

// Integers of more than 16 bits do not fit in a float32 exactly.
bool needs_float64(const Hdu &hdu) {
  return hdu.bitpix == -64 || hdu.bitpix == 32 || hdu.bitpix == 64;
}

void check_same_shape(const FitsFile &file, const Hdu &image, const Hdu &other) {
  if (other.shape == image.shape) return;
  const auto axis = [&other](size_t i) {
    return static_cast<long long>(i < other.shape.size() ? other.shape[i] : 1);
  };
  file.fail(SPECEX_ERROR_FORMAT, "%s has %lld x %lld pixels, but IMAGE has %lld x %lld",
            other.label().c_str(), axis(1), axis(0),
            static_cast<long long>(image.shape[1]),
            static_cast<long long>(image.shape[0]));
}

template <class T>
void read_arrays(FitsFile &file, const Hdu &image, const Hdu &ivar, ImageFile &result) {
  const auto count = static_cast<size_t>(result.nx * result.ny);
  result.pixels.resize(count * sizeof(T));
  result.ivar.resize(count * sizeof(T));
  file.read_pixels(image, result.pixels.as<T>());
  file.read_pixels(ivar, result.ivar.as<T>());
}

template <class T>
void mask_pixels(FitsFile &file, const Hdu &mask, uint32_t badmask, T *ivar) {
  file.visit_bits(mask, [=](size_t first, const uint32_t *bits, size_t count) {
    for (size_t i = 0; i < count; ++i)
      if ((bits[i] & badmask) != 0) ivar[first + i] = 0;
  });
}

}  // namespace

specex_image ImageFile::view() const {
  specex_image image{};
  image.struct_size = sizeof image;
  image.type = type;
  image.nx = nx;
  image.ny = ny;
  image.pixels = pixels.data();
  image.ivar = ivar.data();
  image.pixels_stride = nx;
  image.ivar_stride = nx;
  return image;
}

ImageFile read_image(const char *name, uint32_t badmask, int threads) {
  FitsFile file(name, threads, {"IMAGE", "IVAR", "MASK"});
  const Hdu &image = file.require_image("IMAGE");
  const Hdu &ivar = file.require_image("IVAR");
  if (image.shape.size() != 2)
    file.fail(SPECEX_ERROR_FORMAT, "%s does not have two axes", image.label().c_str());
  check_same_shape(file, image, ivar);

  ImageFile result;
  result.ny = image.shape[0];
  result.nx = image.shape[1];
  const Hdu *mask = file.find("MASK");
  if (mask != nullptr) check_same_shape(file, image, file.require_image("MASK"));
  if (needs_float64(image) || needs_float64(ivar)) {
    result.type = SPECEX_FLOAT64;
    read_arrays<double>(file, image, ivar, result);
    if (mask != nullptr) mask_pixels(file, *mask, badmask, result.ivar.as<double>());
  } else {
    result.type = SPECEX_FLOAT32;
    read_arrays<float>(file, image, ivar, result);
    if (mask != nullptr) mask_pixels(file, *mask, badmask, result.ivar.as<float>());
  }
  result.pass = read_pass_through(file, image);
  return result;
}

}  // namespace specex::io
