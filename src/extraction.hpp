// SPDX-License-Identifier: BSD-3-Clause
//
// The extraction of an image file with a PSF file, shared by the subcommands that do it.
#pragma once

#include <specex/specex.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "session.hpp"
#include "wavelengths.hpp"

namespace specex_cli {

struct ExtractionSettings {
  std::string image_path;
  std::string psf_path;
  std::optional<WavelengthRange> wavelengths;  // absent: the camera's
  int32_t specmin = 0;
  std::optional<int32_t> nspec;  // absent: all fibres of the PSF from specmin
  int64_t badmask = SPECEX_BADMASK_DEFAULT;
  bool barycentric = false;  // extract on the grid divided by the Doppler factor
  bool model = false;        // also the model image
  specex_options options = default_options();
};

// Rules by their name, "none" or "gpu_specter"; and gpu_specter's division of a bundle,
// where nothing is said of it.
void choose_compat(specex_options &options, const std::string &name);

// A frame with the arrays it points to, which are not set: the extraction sets them.
class OwnedFrame {
 public:
  OwnedFrame(int32_t first_fiber, int32_t nspec, int64_t nwave, int32_t ndiag);
  OwnedFrame(OwnedFrame &&) = default;
  OwnedFrame(const OwnedFrame &) = delete;
  OwnedFrame &operator=(const OwnedFrame &) = delete;

  void add_model(int64_t nx, int64_t ny);
  specex_frame &view() { return view_; }
  const specex_frame &view() const { return view_; }

 private:
  template <class T>
  using Array = std::unique_ptr<T[]>;

  specex_frame view_{};
  Array<double> wavelength_;
  Array<double> flux_;
  Array<double> ivar_;
  Array<double> resolution_;
  Array<double> chi2pix_;
  Array<double> pixmask_fraction_;
  Array<int32_t> mask_;
  Array<double> model_;
};

// What was read, ready to be extracted: so that outputs can be checked in between.
class Extraction {
 public:
  // Reads the files and makes the grid.
  explicit Extraction(const ExtractionSettings &settings);

  // Extracts. True if every patch was solved, false if some failed and are masked.
  bool run();

  const ExtractionSettings &settings() const { return settings_; }
  const Context &context() const { return context_; }
  const FitsFile &image() const { return image_; }
  const FitsFile &psf() const { return psf_; }
  const std::string &camera() const { return camera_; }
  // The grid that is written: that of the barycentre if the correction is made.
  const WavelengthRange &wavelengths() const { return wavelengths_; }
  double barycentric_factor() const { return factor_; }
  specex_grid extracted_grid() const;  // that of the telescope
  const OwnedFrame &frame() const { return frame_; }
  double read_seconds() const { return read_seconds_; }
  double extract_seconds() const { return extract_seconds_; }

 private:
  OwnedFrame make_frame() const;

  ExtractionSettings settings_;
  double read_seconds_ = 0;
  double extract_seconds_ = 0;
  Context context_;
  FitsFile psf_;
  FitsFile image_;
  std::string camera_;
  WavelengthRange wavelengths_;
  double factor_ = 1;
  OwnedFrame frame_;
};

}  // namespace specex_cli
