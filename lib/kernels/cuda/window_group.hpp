// SPDX-License-Identifier: BSD-3-Clause
//
// Windows of a sheet that have as many fibres and bins, solved together. A problem p is
// one fibre of one window: p = window * nfiber + fibre. Arrays are [bin][...][problem],
// so that threads of neighbouring problems read neighbouring numbers.
#pragma once

#include <cstdint>

#include "base/host_device.hpp"
#include "kernels/cuda/atomics.hpp"
#include "kernels/cuda/sheet.hpp"
#include "kernels/shared/patch_output.hpp"
#include "kernels/shared/rules.hpp"
#include "kernels/shared/shortcut_bounds.hpp"

namespace specex::gpu {

// Why a window has to be solved otherwise.
enum Verdict : uint32_t {
  verdict_good = 0,
  verdict_indefinite = 1,    // a pivot was not positive
  verdict_truncated = 2,     // marginal matrices go beyond the band
  verdict_coupled = 4,       // fibres see too much of each other's light
  verdict_residual = 8,      // the flux did not settle
  verdict_condition = 16,    // no rational root holds the spectrum
  verdict_cut = 32,          // what the window's ends leave out could be noticed
  verdict_nan = 64,          // something is not finite
  verdict_extreme = 128,     // weights of extreme size
  verdict_elsewhere = 256,   // the host has to do it, whatever its numbers are
  verdict_empty_rows = 512,  // of R, because bins have no data
};

struct DeviceWindow {
  int fiber;  // first padded fibre and bin, counted from the sheet's
  int bin;
  int core_fiber;  // first core fibre and bin, counted from the padded ones
  int core_bin;
  int ncore_fiber;
  int ncore_bin;
  int model_bins;  // core bins that add to the model image
  int cut_low;     // whether the patch goes on below or above
  int cut_high;
  Box box;            // pixels that are used
  Box canvas;         // pixels whose chi2 is needed
  int64_t canvas_at;  // where they begin
  PatchOutput output;
};

struct Group {
  int nwindow;
  int nfiber;  // padded
  int nbin;
  int half_band;  // that is compiled for
  int first_lag;
  int nlag;
  int nkeep;       // diagonals of Q beside the main one
  int core_fiber;  // of the padded ones
  int ncore_fiber;
  int most_core_bins;  // that a window has
  int64_t nproblem;
  double wavestep;
  Rules rules;

  DeviceWindow *windows;
  uint32_t *verdict;  // [window]
  double *largest;    // [problem] by size_for_conditioning()
  double *largest_of_window;

  double *band;   // [nbin][half_band + 1]
  double *cross;  // [nbin][nlag]
  double *data;   // [nbin], as all that follows where nothing else is said
  double *weight;
  double *usable;
  double *masked;
  int32_t *measured;

  double *factor;   // [nbin][half_band + 1] of D
  double *factor2;  // of what is left of D, and of S
  double *reduced;  // D less a neighbour, and S
  double *left;     // K from the left
  double *right;
  double *columns;  // [nbin][column_rows()] of L^-1 X

  double *flux;
  double *work;
  double *effect;
  double *row_sum;
  double *smoothed;
  double *diagonals;  // [nbin][nkeep + 1]
  double *upper;      // [problem]
  int32_t *root;      // [problem] which of the rational roots

  // Columns of L^-1 X end this many rows below X: further down they have decayed.
  static constexpr int tail = 12;
  SPECEX_HOST_DEVICE int column_rows() const { return nlag + tail; }
  SPECEX_HOST_DEVICE int window_of(int64_t p) const {
    return static_cast<int>(p / nfiber);
  }
  SPECEX_HOST_DEVICE int fiber_of(int64_t p) const {
    return static_cast<int>(p % nfiber);
  }
  SPECEX_HOST_DEVICE int64_t at(int w, int64_t p) const { return w * nproblem + p; }
  SPECEX_HOST_DEVICE int64_t band_at(int w, int m, int64_t p) const {
    return (int64_t{w} * (half_band + 1) + m) * nproblem + p;
  }
  SPECEX_HOST_DEVICE int64_t cross_at(int w, int l, int64_t p) const {
    return (int64_t{w} * nlag + l) * nproblem + p;
  }
  SPECEX_HOST_DEVICE int64_t column_at(int column, int r, int64_t p) const {
    return (int64_t{column} * column_rows() + r) * nproblem + p;
  }
  SPECEX_HOST_DEVICE int64_t diagonal_at(int w, int m, int64_t p) const {
    return (int64_t{w} * (nkeep + 1) + m) * nproblem + p;
  }
  // Thread i of those for the core bins of all windows.
  struct CoreBin {
    int64_t p;  // problem
    int window;
    int fiber;  // of the core
    int bin;    // of the core; windows may have fewer
  };
  SPECEX_HOST_DEVICE CoreBin core_bin(int64_t i) const {
    const int64_t ncore = int64_t{nwindow} * ncore_fiber;
    const int64_t p = core_problem(i % ncore);
    return {p, window_of(p), fiber_of(p) - core_fiber, static_cast<int>(i / ncore)};
  }
  // The problem of thread i of those for core fibres alone.
  SPECEX_HOST_DEVICE int64_t core_problem(int64_t i) const {
    return i / ncore_fiber * nfiber + core_fiber + i % ncore_fiber;
  }
  SPECEX_HOST_DEVICE bool solved(int window) const {
    return verdict[window] == verdict_good;
  }
  // Rows of Q that the core's columns of R reach begin here.
  SPECEX_HOST_DEVICE int first_row(const DeviceWindow &window) const {
    return window.core_bin > nkeep ? window.core_bin - nkeep : 0;
  }
  SPECEX_HOST_DEVICE bool has_data(int w, int64_t p) const {
    return measured[at(w, p)] != 0 && row_sum[at(w, p)] != 0.0;
  }
  SPECEX_HOST_DEVICE void mark(int64_t p, uint32_t reason) const {
    set_bits(&verdict[window_of(p)], reason);
  }
};

// Bounds of this backend alone, besides kernels/shared/shortcut_bounds.hpp.
inline constexpr double max_sweep_change = 1e-7;  // of a matrix, relative to its diagonal
inline constexpr double max_kappa = 1e7;  // whose root double precision holds to 1e-9
inline constexpr double extreme_weight = 1e100;

}  // namespace specex::gpu
