// SPDX-License-Identifier: BSD-3-Clause
#include "io/read_frame.hpp"

#include "base/error.hpp"

namespace specex::io {
namespace {

using Shape = std::vector<int64_t>;

std::string text_of(const Shape &shape) {
  std::string text;
  for (const int64_t axis : shape)
    text += (text.empty() ? "" : " x ") + std::to_string(axis);
  return text;
}

size_t count_of(const Shape &shape) {
  size_t count = 1;
  for (const int64_t axis : shape) count *= static_cast<size_t>(axis);
  return count;
}

void check_shape(const FitsFile &file, const Hdu &hdu, const Shape &shape) {
  if (hdu.shape != shape)
    file.fail(SPECEX_ERROR_FORMAT, "%s is %s, but FLUX and WAVELENGTH ask for %s",
              hdu.label().c_str(), text_of(hdu.shape).c_str(), text_of(shape).c_str());
}

std::unique_ptr<double[]> read_reals(FitsFile &file, const Hdu &hdu) {
  auto values = std::make_unique_for_overwrite<double[]>(count_of(hdu.shape));
  file.read_pixels(hdu, values.get());
  return values;
}

// NULL where the file has no such HDU.
std::unique_ptr<double[]> read_if_present(FitsFile &file, const char *name,
                                          const Shape &shape) {
  if (file.find(name) == nullptr) return nullptr;
  const Hdu &hdu = file.require_image(name);
  check_shape(file, hdu, shape);
  return read_reals(file, hdu);
}

}  // namespace

FrameFile read_frame(const char *name, int threads) {
  FitsFile file(name, threads);
  const Hdu &flux = file.require_image("FLUX");
  const Hdu &wavelength = file.require_image("WAVELENGTH");
  if (flux.shape.size() != 2)
    file.fail(SPECEX_ERROR_FORMAT, "%s does not have two axes", flux.label().c_str());
  const int64_t nspec = flux.shape[0];
  const int64_t nwave = flux.shape[1];
  check_shape(file, wavelength, {nwave});

  FrameFile result;
  result.flux = read_reals(file, flux);
  result.wavelength = read_reals(file, wavelength);
  result.ivar = read_if_present(file, "IVAR", flux.shape);
  result.chi2pix = read_if_present(file, "CHI2PIX", flux.shape);
  result.pixmask_fraction = read_if_present(file, "PIXMASK_FRACTION", flux.shape);
  if (file.find("MASK") != nullptr) {
    const Hdu &mask = file.require_image("MASK");
    check_shape(file, mask, flux.shape);
    result.mask = std::make_unique_for_overwrite<int32_t[]>(count_of(mask.shape));
    file.read_bits(mask, reinterpret_cast<uint32_t *>(result.mask.get()));
  }
  specex_frame &frame = result.frame;
  if (file.find("RESOLUTION") != nullptr) {
    const Hdu &resolution = file.require_image("RESOLUTION");
    const int64_t ndiag = resolution.shape.size() == 3 ? resolution.shape[1] : 0;
    check_shape(file, resolution, {nspec, ndiag, nwave});
    frame.ndiag = static_cast<int32_t>(ndiag);
    result.resolution = read_reals(file, resolution);
  }
  if (file.find("MODEL") != nullptr) {
    const Hdu &model = file.require_image("MODEL");
    if (model.shape.size() != 2)
      file.fail(SPECEX_ERROR_FORMAT, "%s does not have two axes", model.label().c_str());
    frame.model_ny = model.shape[0];
    frame.model_nx = model.shape[1];
    result.model = read_reals(file, model);
  }
  frame.struct_size = sizeof frame;
  frame.nspec = static_cast<int32_t>(nspec);
  frame.nwave = nwave;
  frame.wavelength = result.wavelength.get();
  frame.flux = result.flux.get();
  frame.ivar = result.ivar.get();
  frame.resolution = result.resolution.get();
  frame.chi2pix = result.chi2pix.get();
  frame.pixmask_fraction = result.pixmask_fraction.get();
  frame.mask = result.mask.get();
  frame.model = result.model.get();
  result.pass = read_pass_through(file, flux);
  const int64_t first_fiber = result.pass.keys.integer("FIBERMIN").value_or(0);
  if (first_fiber < 0 || first_fiber > limits::pixels)
    file.fail(SPECEX_ERROR_FORMAT, "%s has the illegal FIBERMIN = %lld",
              flux.label().c_str(), static_cast<long long>(first_fiber));
  frame.first_fiber = static_cast<int32_t>(first_fiber);
  return result;
}

}  // namespace specex::io
