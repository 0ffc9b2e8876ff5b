! SPDX-License-Identifier: BSD-3-Clause
!
! libspecex for Fortran: `use libspecex` has all of it. See docs/fortran.md; the contract
! of every function is in specex.h and fits.h.
!
! Arrays are column-major, so the order of their indices is C's turned round: spectra are
! [nwave, nspec], resolution [nwave, ndiag, nspec] and images [nx, ny].
! FIBRES, PIXELS AND BINS COUNT FROM 0 in arguments and fields, as in C and in DESI's
! files; only the bounds of Fortran's own arrays begin with 1.
module libspecex
  use libspecex_types
  use libspecex_text, only: specex_status_name, specex_status_text, specex_stage_name, &
                            specex_version
  use libspecex_views, only: specex_view
  use libspecex_arrays, only: specex_arrays
  use libspecex_context, only: specex_context, specex_log_callback, &
                               specex_progress_callback, specex_options_init, &
                               specex_grid_from_range
  use libspecex_fits, only: specex_fits_file, specex_card, specex_fits_write_frame, &
                            specex_fits_write_image, specex_fits_write_psf
  implicit none
  public
end module
