// SPDX-License-Identifier: BSD-3-Clause
//
// A reference case as files: NAME-psf.fits, NAME-preproc.fits and NAME-reference.fits in
// the directory that the environment variable SPECEX_REFERENCE_DIR names.
#pragma once

#include <specex/fits.h>

#include <memory>
#include <string>
#include <vector>

namespace specex_test {

// Names of the cases there are: empty where the directory is absent.
std::vector<std::string> reference_cases();

class ReferenceCase {
 public:
  explicit ReferenceCase(const std::string &name);  // ends the program when unreadable

  const specex_psf &psf() const { return psf_; }
  const specex_image &image() const { return image_; }
  const specex_grid &grid() const { return grid_; }
  const specex_frame &expected() const { return expected_; }
  // The options that the reference was made with, in the compatible mode.
  const specex_options &options() const { return options_; }

 private:
  struct Free {
    void operator()(specex_fits_file *file) const { specex_fits_free(file); }
  };
  using File = std::unique_ptr<specex_fits_file, Free>;

  File psf_file_;
  File image_file_;
  File expected_file_;
  specex_psf psf_{};
  specex_image image_{};
  specex_grid grid_{};
  specex_frame expected_{};
  specex_options options_{};
};

}  // namespace specex_test
