// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/cpu/simd/instruction_sets.hpp"
#include "kernels/cpu/simd/stages.hpp"

#define SPECEX_TEXT_(name) #name
#define SPECEX_TEXT(name) SPECEX_TEXT_(name)

namespace specex::SPECEX_ISA {

extern const simd::Kernels kernels = {SPECEX_TEXT(SPECEX_ISA),
                                      spot_scratch,
                                      evaluate_spots,
                                      take_spots,
                                      place_spots,
                                      clean_floats,
                                      clean_doubles,
                                      fiber_block,
                                      weigh_stamp,
                                      overlap_stamps,
                                      interleave,
                                      interleave_floats,
                                      deinterleave,
                                      factor_size,
                                      elimination_scratch,
                                      eliminate,
                                      solve_flux,
                                      solve_shifted,
                                      bound_spectrum,
                                      positive_above,
                                      square_root_scratch,
                                      square_root,
                                      add_light,
                                      add_two_lights,
                                      chi2_row,
                                      dot_stamps};

}  // namespace specex::SPECEX_ISA
