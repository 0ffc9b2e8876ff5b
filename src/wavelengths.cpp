// SPDX-License-Identifier: BSD-3-Clause
#include "wavelengths.hpp"

#include <cctype>
#include <cmath>
#include <cstdio>

#include "log.hpp"
#include "session.hpp"

namespace specex_cli {
namespace {

struct Camera {
  char letter;
  WavelengthRange range;
};

constexpr Camera cameras[] = {
    {'b', {3600, 5800, 0.8}}, {'r', {5760, 7620, 0.8}}, {'z', {7520, 9824, 0.8}}};

// Bins to drop at one end of the grid so that it starts inside the coverage.
double bins_missing(double angstrom, double wavestep) {
  return angstrom > 0 ? std::ceil(angstrom / wavestep) : 0;
}

}  // namespace

specex_grid WavelengthRange::grid() const {
  specex_grid grid{};
  grid.struct_size = sizeof grid;
  check(specex_grid_from_range(wavemin, wavemax, wavestep, &grid), nullptr);
  return grid;
}

WavelengthRange parse_wavelengths(const std::string &value) {
  WavelengthRange range;
  int end = 0;
  const int found = std::sscanf(value.c_str(), "%lf,%lf,%lf%n", &range.wavemin,
                                &range.wavemax, &range.wavestep, &end);
  if (found != 3 || value[static_cast<size_t>(end)] != '\0')
    throw Failure(exit_configuration,
                  text("--wavelength must be three numbers wavemin,wavemax,wavestep in "
                       "Angstrom, not %s",
                       value.c_str()));
  range.grid();
  return range;
}

WavelengthRange camera_wavelengths(const std::string &camera,
                                   const specex_psf_info &coverage) {
  const int letter =
      camera.empty() ? 0 : std::tolower(static_cast<unsigned char>(camera[0]));
  for (const Camera &known : cameras) {
    if (letter != known.letter) continue;
    WavelengthRange range = known.range;
    const double step = range.wavestep;
    range.wavemin += step * bins_missing(coverage.wavemin - range.wavemin, step);
    range.wavemax -= step * bins_missing(range.wavemax - coverage.wavemax, step);
    if (range.wavemin > range.wavemax)
      throw Failure(exit_configuration,
                    text("the PSF covers %g to %g Angstrom, nothing of camera %s: give "
                         "--wavelength or another PSF",
                         coverage.wavemin, coverage.wavemax, camera.c_str()));
    return range;
  }
  throw Failure(
      exit_configuration,
      camera.empty()
          ? "neither the image nor the PSF has the key CAMERA: give --wavelength"
          : text("camera %s is not one of b, r, z: give --wavelength", camera.c_str()));
}

}  // namespace specex_cli
