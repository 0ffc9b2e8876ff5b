// SPDX-License-Identifier: BSD-3-Clause
//
// From the solution of a patch to what is reported: flux, ivar, resolution and masks
// (Bolton & Schlegel 2010, eqs. 10-14).
//
// With Q_i the symmetric square root of fibre i's marginal inverse covariance and s its
// row sums:  R_i = diag(1/s) Q_i,  ivar = s^2,  flux = R_i f.
#pragma once

#include <vector>

#include "kernels/backend.hpp"
#include "kernels/shared/dense_algebra.hpp"
#include "kernels/shared/spot_table.hpp"

namespace specex {

// Counts of a patch. Solved bins are numbered fibre by fibre: q = fibre * nbin + bin.
struct PatchShape {
  explicit PatchShape(const specex_patch &patch)
      : nfiber(patch.pad_nfiber),
        nbin(patch.pad_nbin),
        core_fiber(patch.first_fiber - patch.pad_first_fiber),
        core_bin(patch.first_bin - patch.pad_first_bin) {}

  int size() const { return nfiber * nbin; }

  int nfiber;  // padded
  int nbin;
  int core_fiber;  // first core fibre and bin within the padded ones
  int core_bin;
};

// What is needed of a fibre's Q: row sums, Q f and the diagonals that R has, each once.
struct FiberRoot {
  std::vector<double> row_sum;   // [nbin]
  std::vector<double> smoothed;  // [nbin]
  std::vector<double> band;      // [ndiag/2 + 1][nbin]: element m, w is Q[w][w + m], and
                                 // 0 where there is none

  void resize(int nbin, int ndiag) {
    row_sum.resize(static_cast<size_t>(nbin));
    smoothed.resize(static_cast<size_t>(nbin));
    band.resize(static_cast<size_t>(nbin) * static_cast<size_t>(ndiag / 2 + 1));
  }
};

// rows: the fibre's rows of Q, [nbin][ncol] by column (leading dimension ld), of which
// columns [own, own + nbin) are the fibre's own; f has ncol elements.
FiberRoot fiber_root(const double *rows, int nbin, int ncol, int ld, int own, int ndiag,
                     const double *f);

// The solution of a patch, whichever way it was found.
struct Solution {
  std::vector<double> flux;      // f, [q], electrons a bin
  std::vector<FiberRoot> roots;  // one per core fibre
};

// Writes flux, ivar, resolution, pixmask_fraction and mask. Throws NUMERIC, before it
// writes anything, where the solution is not finite.
void finish(const Run &run, const specex_patch &patch, const BinSums &sums,
            const std::vector<bool> &measured, const Solution &solution,
            PatchOutput &output);

// The outputs of a patch that was not solved: no flux, ivar 0, the mask bits, chi2pix 0,
// model 0, and R of the even root (compat: 0, as gpu_specter has it).
void finish_unsolved(const Run &run, const specex_patch &patch, specex_status status,
                     PatchOutput &output);

// What each core bin adds to the model image.
std::vector<double> model_flux(const Rules &rules, const PatchShape &shape,
                               const specex_patch &patch, const Solution &solution);

}  // namespace specex
