// SPDX-License-Identifier: BSD-3-Clause
//
// A DESI-like PSF from formulas: traces, bundles, dispersion and spot shapes have the
// sizes and the smoothness of real ones, so that nobody needs private data to begin.
#pragma once

#include <specex/specex.h>

#include <cstdint>
#include <string>
#include <vector>

namespace specex_cli {

// Across the dispersion, fibres of a bundle and pixels from one to the next.
inline constexpr int32_t bundle_size = 25;
inline constexpr double fiber_spacing = 7.26;

// A GAUSS-HERMITE PSF that owns its arrays.
class PsfModel {
 public:
  // camera: 'b', 'r' or 'z'. nspec >= 1 fibres from the left edge of the CCD, which is as
  // wide as its bundles of 25 need: 20 bundles fill a DESI CCD. The seed scatters fibres
  // and spot shapes. Throws Failure.
  PsfModel(char camera, int32_t nspec, uint64_t seed);

  PsfModel(const PsfModel &) = delete;
  PsfModel &operator=(const PsfModel &) = delete;

  const specex_psf &view() const { return view_; }

 private:
  // -1 and 1 at the edges of the CCD: what varies over the fibres is smooth in this.
  double position_on_ccd(int32_t fiber) const;
  void make_traces(uint64_t seed);
  void make_spots(uint64_t seed);
  // Appends a parameter that is 0 everywhere; the pointer is valid until the next one.
  double *add_parameter(const std::string &name);

  char camera_;
  int32_t nspec_;
  std::vector<double> xtrace_;      // [nspec][ntrace_coefficients]
  std::vector<double> ytrace_;      // likewise
  std::vector<std::string> names_;  // [nparam]
  std::vector<const char *> name_pointers_;
  std::vector<double> parameters_;  // [nparam][nspec][nspot_coefficients]
  specex_psf view_{};
};

}  // namespace specex_cli
