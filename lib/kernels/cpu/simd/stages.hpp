// SPDX-License-Identifier: BSD-3-Clause
//
// The stages of one instruction set; kernels.hpp says what each does.
#pragma once

#include "kernels/cpu/simd/kernels.hpp"
#include "kernels/cpu/simd/vector.hpp"

namespace specex::SPECEX_ISA {

using namespace specex::simd;

size_t spot_scratch(const FiberPsf &psf);
void evaluate_spots(const FiberPsf &psf, const FiberBases &bases, ptrdiff_t bin,
                    const int *corner_x, const int *corner_y, const int *shift,
                    double *const *stamps, double *scratch);
void take_spots(const StampLayout &layout, const double *const *stamps, const int *shift,
                double *spots);
void place_spots(const StampLayout &layout, const double *spots, const int *shift,
                 double *const *stamps);

double clean_floats(const float *pixels, const float *ivar, ptrdiff_t count,
                    double *values, double *weights, float *float_weights);
double clean_doubles(const double *pixels, const double *ivar, ptrdiff_t count,
                     double *values, double *weights, float *float_weights);

void fiber_block(const FiberBlock &block);

StampSums weigh_stamp(const StampLayout &layout, const Strip &strip, const float *stamp,
                      int x0, int y0, int first_row, int end_row, double *weighted);
double overlap_stamps(const StampLayout &layout, const double *weighted,
                      const float *stamp, int right, int down, int first_row,
                      int end_row);
void interleave(const double *const *from, int count, double *to);
void interleave_floats(const float *const *from, int count, float *to);
void deinterleave(const double *from, int count, double scale, double *const *to);

size_t factor_size(int nbin, int half_band);
size_t elimination_scratch(const BlockSystem &system, int widest);
int eliminate(const BlockSystem &system, int wanted, const Elimination &elimination,
              Checks &checks);
void solve_flux(const BlockSystem &system, const Elimination &elimination, double *flux,
                double *scratch, Checks &checks);

void solve_shifted(int nbin, int half_band, const double *band, const double *shift,
                   double *x, double *scratch);
void bound_spectrum(int nbin, int half_band, const double *band, double *upper);
int positive_above(int nbin, int half_band, const double *band, const double *shift,
                   double *scratch);
size_t square_root_scratch(int nbin, int half_band);
void square_root(int nbin, int half_band, const double *band, const double *upper,
                 const Poles &poles, const double *flux, int first, int nkeep,
                 double *row_sum, double *smoothed, double *diagonals, double *scratch);

void add_light(const FiberLight &light, const Canvas &canvas);
void add_two_lights(const FiberLight &light, const Canvas &canvas, const double *flux,
                    const Canvas &other);
void chi2_row(ptrdiff_t count, const double *values, const double *weights, double scale,
              double psferr, double *canvas);
void dot_stamps(const FiberLight &light, const Canvas &canvas, double *sums);

}  // namespace specex::SPECEX_ISA
