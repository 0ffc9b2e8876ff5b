// SPDX-License-Identifier: BSD-3-Clause
//
// The extraction of an image file with a PSF file, shared by the subcommands that do it.
#pragma once

#include <specex/specex.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "large_array.hpp"
#include "session.hpp"
#include "wavelengths.hpp"

namespace specex_cli {

struct ExtractionSettings {
  std::string image_path;
  std::string psf_path;
  std::string fibermap_path;  // of the FIBERMAP that replaces the image's; "": none
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
  specex_frame view_{};
  LargeArray<double> wavelength_;
  LargeArray<double> flux_;
  LargeArray<double> ivar_;
  LargeArray<double> resolution_;
  LargeArray<double> chi2pix_;
  LargeArray<double> pixmask_fraction_;
  LargeArray<int32_t> mask_;
  LargeArray<double> model_;
};

// A PSF file that was read, and what has to be known of it before an extraction.
struct Psf {
  FitsFile file;
  specex_psf_info info;
  std::string identity;  // as identity_of gave it before it was read
  double read_seconds;
};

// Reads a PSF file and sets it as the context's PSF, which checks it.
std::shared_ptr<const Psf> read_psf(const Context &context, const std::string &path);

// Sets a PSF that was read as that of another context.
void set_psf(const Context &context, const FitsFile &file, const std::string &path);

// How bundles are divided, by the library where it is free to choose.
struct Division {
  int32_t nsubbundles;
  int32_t nwavestep;
};

// What is wrong with a frame, for the user to read; "" if all of it is as it should be.
std::string shortcoming_of(const specex_frame &frame);

// One frame on its way: what was read, to be extracted, and then what came of it.
class Extraction {
 public:
  // Reads the image, and the FIBERMAP if one is given, and makes the grid.
  Extraction(const Context &context, const ExtractionSettings &settings,
             std::shared_ptr<const Psf> psf);

  // Extracts with a context that has the options of the settings and the PSF. Patches
  // that fail are masked: see shortcoming_of.
  void run(const Context &context);
  // The same, where something else than the library's call has to make the frame.
  using MakeFrame =
      std::function<void(const specex_image &, const specex_grid &, specex_frame &)>;
  void run(const Context &context, const MakeFrame &make);

  const ExtractionSettings &settings() const { return settings_; }
  const FitsFile &image() const { return image_; }
  const FitsFile *fibermap() const { return fibermap_ ? &*fibermap_ : nullptr; }
  const std::shared_ptr<const Psf> &psf() const { return psf_; }
  // Of the files it was read from, see identity_of_inputs.
  const std::string &identity() const { return identity_; }
  const std::string &camera() const { return camera_; }
  // The grid that is written: that of the barycentre if the correction is made.
  const WavelengthRange &wavelengths() const { return wavelengths_; }
  double barycentric_factor() const { return factor_; }
  const OwnedFrame &frame() const { return frame_; }
  double read_seconds() const { return read_seconds_; }
  double extract_seconds() const { return extract_seconds_; }

  // Known once it has run.
  const std::string &ran_on() const { return ran_on_; }
  double psferr() const { return psferr_; }
  Division division() const { return division_; }

 private:
  OwnedFrame make_frame() const;

  ExtractionSettings settings_;
  double read_seconds_ = 0;
  double extract_seconds_ = 0;
  std::shared_ptr<const Psf> psf_;
  std::string identity_;
  FitsFile image_;
  std::optional<FitsFile> fibermap_;
  std::string camera_;
  WavelengthRange wavelengths_;
  double factor_ = 1;
  OwnedFrame frame_;
  std::string ran_on_;
  double psferr_ = 0;
  Division division_{};
};

}  // namespace specex_cli
