// SPDX-License-Identifier: BSD-3-Clause
//
// What a benchmark extracts: an image and its PSF, read from files or made up in memory.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "detector.hpp"
#include "psf_model.hpp"
#include "session.hpp"
#include "wavelengths.hpp"

namespace specex_cli {

// Of what is made up; by default as large as what a DESI r camera gives.
struct BenchSize {
  int32_t fibers = 500;
  int32_t bins = 2326;
  int32_t hsizex = 8;  // a spot is 2 hsizex + 1 columns
  int32_t hsizey = 5;  // by 2 hsizey + 1 rows
  double spacing = fiber_spacing;
};

struct BenchFiles {
  std::string image;
  std::string psf;
  std::string wavelengths;  // "": the camera's
  int32_t specmin = 0;
  std::optional<int32_t> nspec;  // absent: all from specmin
};

class BenchProblem {
 public:
  explicit BenchProblem(const BenchSize &size);
  explicit BenchProblem(const BenchFiles &files);
  BenchProblem(const BenchProblem &) = delete;
  BenchProblem &operator=(const BenchProblem &) = delete;

  const specex_psf &psf() const { return psf_; }
  const specex_image &image() const { return image_; }
  const specex_grid &grid() const { return grid_; }
  int32_t first_fiber() const { return first_fiber_; }
  int32_t nspec() const { return nspec_; }

 private:
  void stretch(int32_t bins);
  void draw_together(double spacing);
  void expose_made_up_light();

  std::optional<PsfModel> model_;
  std::vector<double> xtrace_, ytrace_;
  Exposure exposure_;
  std::optional<FitsFile> psf_file_, image_file_;
  specex_psf psf_{};
  specex_image image_{};
  specex_grid grid_{};
  int32_t first_fiber_ = 0;
  int32_t nspec_ = 0;
};

}  // namespace specex_cli
