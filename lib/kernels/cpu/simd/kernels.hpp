// SPDX-License-Identifier: BSD-3-Clause
//
// What the vector kernels do, stage by stage, and the table through which the engine
// calls those of the instruction set it chose. Plain structs of numbers and pointers.
//
// Vectors are written as groups of 8 doubles, [..][8]. In the stages up to the normal
// equations the lanes are 8 pixels of a row (or 8 bins of a fibre, while spots are
// evaluated); in the algebra they are 8 problems: the same fibres of 8 patches.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace specex::simd {

constexpr int width = 8;  // lanes

// ---------------------------------------------------------------- spots

// One fibre's PSF: Legendre coefficients of its trace and shape.
struct FiberPsf {
  int half_x;
  int half_y;
  int degree_x;
  int degree_y;
  int nxtrace;
  int nytrace;
  int ncoef;
  const double *xtrace;   // [nxtrace]
  const double *ytrace;   // [nytrace]
  const double *sigma_x;  // [ncoef]
  const double *sigma_y;  // [ncoef]
  const double *terms;    // [degree_x + 1][degree_y + 1][ncoef]
  const double *tail;     // [5][ncoef]: amplitude, core, x scale, y scale, index of the
                          // Lorentzian tail; NULL: there is none
};

// Legendre polynomials at consecutive bins: element (k, bin) is values[k * stride + bin].
struct Basis {
  const double *values;
  ptrdiff_t stride;
};

struct FiberBases {
  Basis xtrace;
  Basis ytrace;
  Basis shape;
};

// ---------------------------------------------------------------- stamps and pixels

// Stamps of one fibre over a piece of a bundle. Columns are padded to a multiple of 8 and
// start at a multiple of 8, so that the pixels of neighbouring stamps share lanes.
struct StampLayout {
  int nx;  // pixels of a spot
  int ny;
  int row;   // columns of a stamp: nx + 7 rounded up to 8
  int size;  // from one stamp to the next: ny rows and one of zeros, as before the first
};

// Stamps of one fibre, as they are kept for other fibres and later stages.
struct FiberStamps {
  const float *spots;  // [bin][size]
  const int *x0;       // [bin] first column of the stamp, a multiple of 8
  const int *y0;       // [bin] first row
};

// Cleaned pixels around a bundle: values and weights, 0 outside the CCD. Rows start at a
// multiple of 8 columns.
struct Strip {
  const double *values;
  const double *weights;
  const float *float_weights;
  ptrdiff_t stride;  // columns, a multiple of 8
  int xmin;          // of the first column
  int ymin;

  // The pixel under the first of a stamp's.
  ptrdiff_t corner(const FiberStamps &fiber, int bin) const {
    return (fiber.y0[bin] - ymin) * stride + (fiber.x0[bin] - xmin);
  }
};

// ---------------------------------------------------------------- normal equations

// One fibre's part of the normal equations, bins [first, end): its own rows, and its
// coupling with the next fibre, whose stamps are all there.
struct FiberBlock {
  StampLayout layout;
  Strip strip;
  const double *ring;  // `ring_size` stamps: bin w is at (w & (ring_size - 1)) * size
  int ring_size;
  int first;
  int end;
  int nbin;  // bins beyond do not exist
  int half_band;
  int band_stride;  // half_band + 1 rounded up to 8
  int first_lag;    // of the next fibre's bin, less this fibre's
  int nlag;
  int lag_stride;    // nlag rounded up to 8
  FiberStamps own;   // of which `spots` are written, to `kept`
  FiberStamps next;  // spots NULL: there is none
  float *kept;
  double *band;    // [bin][band_stride]: element m is N[w][w + m]
  float *cross;    // [bin][lag_stride]: element l is N[w][next, w + first_lag + l]; what
                   // shares no rows is not written. 8 more before and after are there
  double *data;    // [bin] A^T W d
  double *weight;  // [bin] A^T W 1
  double *masked;  // [bin] share of the profile on pixels of weight 0
  double *scale;   // [bin] 1 / sqrt(N[w][w]); 0 where that is not positive
  // Fibres that are not next to each other are taken as uncoupled. How far that holds is
  // measured for the fibre after the next, at the bins whose stamps lie closest, and
  // bounded for all others: by the share of a bin's diagonal element that the columns
  // below left_x and from right_x on hold.
  FiberStamps far;  // spots NULL: there is none
  const double *far_scale;
  const int *left_x;     // [bin]
  const int *right_x;    // [bin]
  double *far_coupling;  // [bin] out: |N_fg| / sqrt(N_ff N_gg)
  double *edge_share;    // [bin] out
};

// ---------------------------------------------------------------- algebra, 8 problems

// The normal equations of 8 patches, by blocks of fibres. What is a fibre here may be a
// pair of them, whose bins take turns. A fibre's band matrix is
// [nbin][half_band + 1][8], its coupling with the next fibre [nbin][nlag][8], a vector
// [nbin][8]; fibres follow each other. The coupling of systems with the half bands that
// spots have is known to float precision; wider ones may be those that need double.
struct BlockSystem {
  int nfiber;
  int nbin;
  int half_band;
  int first_lag;  // of the next fibre's bin, less this fibre's
  int nlag;
  const double *band;
  const float *cross;          // where half_band <= largest_spot_band
  const double *cross_double;  // elsewhere
  const double *data;
};

// What was found out about the 8 problems while solving them: the worst of all fibres and
// bins. The shortcuts hold where these are small.
struct Checks {
  double coupling[8];    // largest share of a diagonal element that a neighbour takes
  double truncation[8];  // marginal matrix beyond its band, relative to the diagonal
  double residual[8];    // error of the flux, estimated, in standard deviations
  double light[8];       // that neighbours send to a bin, in its standard deviations
};

// Each problem has its own; those with fewer have some of weight 0.
struct Poles {
  int count;
  const double *shift;  // [count][8], relative to the upper end of the spectrum
  const double *weight;
};

inline size_t band_matrix_size(int nbin, int half_band) {
  return static_cast<size_t>(nbin) * static_cast<size_t>(half_band + 1) * width;
}

// What the elimination leaves behind. Each fibre's matrices have half bands of their own,
// from the system's on, and begin at multiples of what the widest take, which is one of
// half_bands.
struct Elimination {
  int widest;
  double *left_factor;  // [fibre]: of the marginal matrices from the left
  double *from_left;    // [fibre]: band matrices that the left neighbour takes
  double *from_right;   // [fibre]
  int *factor_band;     // [fibre]: their half bands
  int *left_band;
  int *right_band;
  double *scratch;  // elimination_scratch() doubles
};

// Kept stamps of consecutive bins of a fibre, rows rising.
struct FiberLight {
  StampLayout layout;
  const float *stamps;  // [nbin][size]
  const int *x0;
  const int *y0;
  const double *flux;
  int nbin;
};

// Pixels whose columns hold whole stamps; what stamps have in other rows is left out.
struct Canvas {
  double *pixels;
  ptrdiff_t stride;
  int xmin;
  int ymin;
  int ymax;
};

// Of a stamp on an image: sums over its pixels of
struct StampSums {
  double data;    // stamp * weight * value
  double weight;  // stamp * weight
  double usable;  // stamp, where the weight is not 0
};

struct Kernels {
  const char *name;

  // The stamps of 8 bins from `bin` on. Spots have these corners, `shift` columns from
  // their stamp's left edge, and are of unit sum or all 0. scratch: spot_scratch(psf)
  // doubles.
  size_t (*spot_scratch)(const FiberPsf &psf);
  void (*evaluate_spots)(const FiberPsf &psf, const FiberBases &bases, ptrdiff_t bin,
                         const int *corner_x, const int *corner_y, const int *shift,
                         double *const *stamps, double *scratch);
  // Copies the spots [8][ny][nx] out of 8 stamps, and back.
  void (*take_spots)(const StampLayout &layout, const double *const *stamps,
                     const int *shift, double *spots);
  void (*place_spots)(const StampLayout &layout, const double *spots, const int *shift,
                      double *const *stamps);

  // `count` pixels as the solution sees them; returns the largest weight.
  double (*clean_floats)(const float *pixels, const float *ivar, ptrdiff_t count,
                         double *values, double *weights, float *float_weights);
  double (*clean_doubles)(const double *pixels, const double *ivar, ptrdiff_t count,
                          double *values, double *weights, float *float_weights);

  void (*fiber_block)(const FiberBlock &block);

  // Rows [first_row, end_row) of a kept stamp times the weights, and the sum of that
  // times another kept stamp, which lies `right` columns and `down` rows on.
  StampSums (*weigh_stamp)(const StampLayout &layout, const Strip &strip,
                           const float *stamp, int x0, int y0, int first_row, int end_row,
                           double *weighted);
  double (*overlap_stamps)(const StampLayout &layout, const double *weighted,
                           const float *stamp, int right, int down, int first_row,
                           int end_row);

  // to[k][lane] = from[lane][k], k in [0, count); count rounded up to 8 is read.
  void (*interleave)(const double *const *from, int count, double *to);
  void (*interleave_floats)(const float *const *from, int count, float *to);
  // And back, times scale; no more than count is written.
  void (*deinterleave)(const double *from, int count, double scale, double *const *to);

  // Doubles that a factor (with its zeros around) and the scratch take.
  size_t (*factor_size)(int nbin, int half_band);
  size_t (*elimination_scratch)(const BlockSystem &system, int widest);
  // Eliminates the fibres from the left and from the right, with what neighbours take as
  // wide as the lanes that are wanted (bits) need it. Returns the lanes in which every
  // pivot was positive.
  int (*eliminate)(const BlockSystem &system, int wanted, const Elimination &elimination,
                   Checks &checks);
  // The flux of all fibres, [fibre][nbin][8]; scratch: 3 vectors of the system.
  void (*solve_flux)(const BlockSystem &system, const Elimination &elimination,
                     double *flux, double *scratch, Checks &checks);

  // x := (band + shift)^-1 x, shift by lane; scratch as for square_root.
  void (*solve_shifted)(int nbin, int half_band, const double *band, const double *shift,
                        double *x, double *scratch);
  // A bound of the largest eigenvalue in each lane, by Gershgorin's circles.
  void (*bound_spectrum)(int nbin, int half_band, const double *band, double *upper);
  // Whether a band matrix less shift * I is positive definite in each lane (bit set).
  int (*positive_above)(int nbin, int half_band, const double *band, const double *shift,
                        double *scratch);
  // Q = band^1/2 by partial fractions: row sums, Q f, and the diagonals 0..nkeep of Q,
  // [nkeep + 1][nbin][8], of bins from `first` on. upper: above the spectrum.
  // nkeep <= half_band.
  size_t (*square_root_scratch)(int nbin, int half_band);
  void (*square_root)(int nbin, int half_band, const double *band, const double *upper,
                      const Poles &poles, const double *flux, int first, int nkeep,
                      double *row_sum, double *smoothed, double *diagonals,
                      double *scratch);

  // canvas += flux * spot of each bin
  void (*add_light)(const FiberLight &light, const Canvas &canvas);
  // And other += flux * spot: the canvases have the same rows.
  void (*add_two_lights)(const FiberLight &light, const Canvas &canvas,
                         const double *flux, const Canvas &other);
  // canvas, the model of `count` pixels, becomes their chi2; weights are divided by
  // scale.
  void (*chi2_row)(ptrdiff_t count, const double *values, const double *weights,
                   double scale, double psferr, double *canvas);
  // sums[bin] = sum of spot * canvas
  void (*dot_stamps)(const FiberLight &light, const Canvas &canvas, double *sums);
};

}  // namespace specex::simd
