// SPDX-License-Identifier: BSD-3-Clause
//
// A small PSF, an image simulated with it, and the arrays a test extracts into. Only the
// public header is used.
#pragma once

#include <specex/specex.h>

#include <array>
#include <string>
#include <vector>

namespace specex_test {

// Owns the arrays of a specex_psf; tests change what they like, then take a view.
struct PsfTables {
  specex_psf psf;  // scalars; its pointers are set by view()
  std::vector<double> xtrace;
  std::vector<double> ytrace;
  std::vector<std::string> names;
  std::vector<double> params;

  const specex_psf *view();
  // The first coefficient of a parameter of a fibre.
  double *coefficient(const std::string &name, int fiber);
  void add_parameter(const std::string &name, double value);

 private:
  std::vector<const char *> name_pointers_;
};

struct CaseSpec {
  int nspec = 6;
  int nwave = 30;
  int hsizex = 4;
  int hsizey = 4;
  double spacing = 7.0;       // pixels from trace to trace
  double rows_per_bin = 1.5;  // negative: wavelengths fall with the row
  int margin = 24;            // rows from the CCD's edge to the first and last bin
  int side_margin = 9;        // columns from the CCD's edge to the outermost traces
  double ripple = 1.0;        // contrast of lines in the spectra, times a few hundred
  bool tails = false;
  uint64_t seed = 1;
};

PsfTables make_psf(const CaseSpec &spec);

struct Case {
  CaseSpec spec;
  PsfTables psf;
  specex_grid grid;
  int64_t nx;
  int64_t ny;
  std::vector<double> truth;   // [nspec][nwave], electrons per Angstrom
  std::vector<double> pixels;  // [ny][nx]
  std::vector<double> ivar;

  specex_image image() const;
  double &pixel(int64_t y, int64_t x) { return pixels[static_cast<size_t>(y * nx + x)]; }
  double &weight(int64_t y, int64_t x) { return ivar[static_cast<size_t>(y * nx + x)]; }
};

// The image is specex_project's, with read noise 3 and shot noise.
Case make_case(const CaseSpec &spec = {});
// Projects and adds noise again, after a test has changed the PSF.
void simulate(Case &c);

// Options that divide a small case into several bundles, sub-bundles and steps.
specex_options small_options(int32_t backend = SPECEX_BACKEND_CPU);

// A context that ends with its scope, with a PSF when one is given.
class Context {
 public:
  explicit Context(const specex_options &options, const specex_psf *psf = nullptr);
  ~Context() { specex_destroy(context_); }
  Context(const Context &) = delete;
  Context &operator=(const Context &) = delete;
  operator specex_context *() const { return context_; }

 private:
  specex_context *context_ = nullptr;
};

// Whether this build and machine have it; says why not.
bool has_backend(int32_t backend);

// Whether SPECEX_SIMD asks for vector instructions that this processor lacks.
bool lacks_instructions();

// Owns the arrays of a specex_frame, filled with NaN and a mask of all bits at first.
struct Frame {
  Frame(int first_fiber, int nspec, int64_t nwave, int ndiag, int64_t nx, int64_t ny);
  Frame(const Case &c, int first_fiber, int nspec);

  specex_frame *get();
  bool finite() const;

  specex_frame frame{};
  std::vector<double> wavelength;
  std::vector<double> flux;
  std::vector<double> ivar;
  std::vector<double> resolution;
  std::vector<double> chi2pix;
  std::vector<double> pixmask_fraction;
  std::vector<double> model;
  std::vector<int32_t> mask;
};

bool same_bits(const std::vector<double> &a, const std::vector<double> &b);
bool same_bits(const Frame &a, const Frame &b);

// Extracts every fibre of a case; the status goes to *status where it is not NULL.
Frame extract(const Case &c, const specex_options &options,
              specex_status *status = nullptr);

// Extracts every fibre; the seconds that a stage took of it.
double seconds_of(int stage, specex_context *context, const Case &c);

// Owns the results of patches, for specex_extract_patches.
struct Results {
  explicit Results(const std::vector<specex_patch> &patches);
  bool finite() const;

  std::vector<specex_result> results;
  std::vector<std::vector<double>> doubles;
  std::vector<std::vector<int32_t>> masks;
};

std::vector<specex_patch> plan(specex_context *context, const specex_grid &grid,
                               int first_fiber, int nspec);

}  // namespace specex_test
