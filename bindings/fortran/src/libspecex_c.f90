! SPDX-License-Identifier: BSD-3-Clause
!
! Every function of specex.h and fits.h as C has it, with c_ before its name and without
! any check: what module libspecex is made of, and for what it does not offer.
module libspecex_c
  use, intrinsic :: iso_c_binding, only: c_char, c_double, c_funptr, c_int32_t, &
                                         c_int64_t, c_ptr
  use libspecex_types
  implicit none
  private :: c_char, c_double, c_funptr, c_int32_t, c_int64_t, c_ptr

  interface
    function c_specex_status_name(status) bind(c, name='specex_status_name') result(text)
      import
      integer(c_int32_t), value :: status
      type(c_ptr) :: text
    end function

    function c_specex_status_text(status) bind(c, name='specex_status_text') result(text)
      import
      integer(c_int32_t), value :: status
      type(c_ptr) :: text
    end function

    function c_specex_version() bind(c, name='specex_version') result(text)
      import
      type(c_ptr) :: text
    end function

    function c_specex_options_init(options, size) &
        bind(c, name='specex_options_init') result(status)
      import
      type(specex_options), intent(inout) :: options
      integer(c_int64_t), value :: size
      integer(c_int32_t) :: status
    end function

    function c_specex_create(options, context) &
        bind(c, name='specex_create') result(status)
      import
      type(specex_options), intent(in), optional :: options
      type(c_ptr), intent(out) :: context
      integer(c_int32_t) :: status
    end function

    function c_specex_destroy(context) bind(c, name='specex_destroy') result(status)
      import
      type(c_ptr), value :: context
      integer(c_int32_t) :: status
    end function

    function c_specex_last_error(context) bind(c, name='specex_last_error') result(text)
      import
      type(c_ptr), value :: context
      type(c_ptr) :: text
    end function

    function c_specex_describe(context, buffer, capacity) &
        bind(c, name='specex_describe') result(status)
      import
      type(c_ptr), value :: context
      character(kind=c_char), intent(inout) :: buffer(*)
      integer(c_int64_t), value :: capacity
      integer(c_int32_t) :: status
    end function

    function c_specex_set_log(context, callback, user) &
        bind(c, name='specex_set_log') result(status)
      import
      type(c_ptr), value :: context
      type(c_funptr), value :: callback
      type(c_ptr), value :: user
      integer(c_int32_t) :: status
    end function

    function c_specex_set_progress(context, callback, user) &
        bind(c, name='specex_set_progress') result(status)
      import
      type(c_ptr), value :: context
      type(c_funptr), value :: callback
      type(c_ptr), value :: user
      integer(c_int32_t) :: status
    end function

    function c_specex_set_psf(context, psf) bind(c, name='specex_set_psf') result(status)
      import
      type(c_ptr), value :: context
      type(specex_psf), intent(in) :: psf
      integer(c_int32_t) :: status
    end function

    function c_specex_get_psf_info(context, info) &
        bind(c, name='specex_get_psf_info') result(status)
      import
      type(c_ptr), value :: context
      type(specex_psf_info), intent(inout) :: info
      integer(c_int32_t) :: status
    end function

    function c_specex_trace(context, fiber, wave, n, x, y) &
        bind(c, name='specex_trace') result(status)
      import
      type(c_ptr), value :: context
      integer(c_int32_t), value :: fiber
      real(c_double), intent(in) :: wave(*)
      integer(c_int64_t), value :: n
      real(c_double), intent(inout) :: x(*), y(*)
      integer(c_int32_t) :: status
    end function

    function c_specex_grid_from_range(wavemin, wavemax, wavestep, grid) &
        bind(c, name='specex_grid_from_range') result(status)
      import
      real(c_double), value :: wavemin, wavemax, wavestep
      type(specex_grid), intent(inout) :: grid
      integer(c_int32_t) :: status
    end function

    function c_specex_plan(context, grid, first_fiber, nspec, patches, capacity, count) &
        bind(c, name='specex_plan') result(status)
      import
      type(c_ptr), value :: context
      type(specex_grid), intent(in) :: grid
      integer(c_int32_t), value :: first_fiber, nspec
      type(specex_patch), intent(inout), optional :: patches(*)
      integer(c_int64_t), value :: capacity
      integer(c_int64_t), intent(out) :: count
      integer(c_int32_t) :: status
    end function

    function c_specex_extract_patches(context, image, patches, n, results) &
        bind(c, name='specex_extract_patches') result(status)
      import
      type(c_ptr), value :: context
      type(specex_image), intent(in) :: image
      type(specex_patch), intent(in) :: patches(*)
      integer(c_int64_t), value :: n
      type(specex_result), intent(inout) :: results(*)
      integer(c_int32_t) :: status
    end function

    function c_specex_assemble(context, patches, results, n, frame) &
        bind(c, name='specex_assemble') result(status)
      import
      type(c_ptr), value :: context
      type(specex_patch), intent(in) :: patches(*)
      type(specex_result), intent(in) :: results(*)
      integer(c_int64_t), value :: n
      type(specex_frame), intent(inout) :: frame
      integer(c_int32_t) :: status
    end function

    function c_specex_extract_frame(context, image, grid, first_fiber, nspec, frame) &
        bind(c, name='specex_extract_frame') result(status)
      import
      type(c_ptr), value :: context
      type(specex_image), intent(in) :: image
      type(specex_grid), intent(in) :: grid
      integer(c_int32_t), value :: first_fiber, nspec
      type(specex_frame), intent(inout) :: frame
      integer(c_int32_t) :: status
    end function

    function c_specex_stage_name(stage) bind(c, name='specex_stage_name') result(text)
      import
      integer(c_int32_t), value :: stage
      type(c_ptr) :: text
    end function

    function c_specex_stage_seconds(context, seconds, capacity) &
        bind(c, name='specex_stage_seconds') result(status)
      import
      type(c_ptr), value :: context
      real(c_double), intent(inout) :: seconds(*)
      integer(c_int64_t), value :: capacity
      integer(c_int32_t) :: status
    end function

    function c_specex_project(context, grid, first_fiber, nspec, spectra, nx, ny, image) &
        bind(c, name='specex_project') result(status)
      import
      type(c_ptr), value :: context
      type(specex_grid), intent(in) :: grid
      integer(c_int32_t), value :: first_fiber, nspec
      real(c_double), intent(in) :: spectra(*)
      integer(c_int64_t), value :: nx, ny
      real(c_double), intent(inout) :: image(*)
      integer(c_int32_t) :: status
    end function

    function c_specex_fits_read_image(context, path, badmask, file) &
        bind(c, name='specex_fits_read_image') result(status)
      import
      type(c_ptr), value :: context
      character(kind=c_char), intent(in) :: path(*)
      integer(c_int64_t), value :: badmask
      type(c_ptr), intent(out) :: file
      integer(c_int32_t) :: status
    end function

    function c_specex_fits_read_psf(context, path, file) &
        bind(c, name='specex_fits_read_psf') result(status)
      import
      type(c_ptr), value :: context
      character(kind=c_char), intent(in) :: path(*)
      type(c_ptr), intent(out) :: file
      integer(c_int32_t) :: status
    end function

    function c_specex_fits_read_frame(context, path, file) &
        bind(c, name='specex_fits_read_frame') result(status)
      import
      type(c_ptr), value :: context
      character(kind=c_char), intent(in) :: path(*)
      type(c_ptr), intent(out) :: file
      integer(c_int32_t) :: status
    end function

    function c_specex_fits_read_fibermap(context, path, file) &
        bind(c, name='specex_fits_read_fibermap') result(status)
      import
      type(c_ptr), value :: context
      character(kind=c_char), intent(in) :: path(*)
      type(c_ptr), intent(out) :: file
      integer(c_int32_t) :: status
    end function

    subroutine c_specex_fits_free(file) bind(c, name='specex_fits_free')
      import
      type(c_ptr), value :: file
    end subroutine

    function c_specex_fits_get_image(file, image) &
        bind(c, name='specex_fits_get_image') result(status)
      import
      type(c_ptr), value :: file
      type(specex_image), intent(inout) :: image
      integer(c_int32_t) :: status
    end function

    function c_specex_fits_get_psf(file, psf) &
        bind(c, name='specex_fits_get_psf') result(status)
      import
      type(c_ptr), value :: file
      type(specex_psf), intent(inout) :: psf
      integer(c_int32_t) :: status
    end function

    function c_specex_fits_get_frame(file, frame) &
        bind(c, name='specex_fits_get_frame') result(status)
      import
      type(c_ptr), value :: file
      type(specex_frame), intent(inout) :: frame
      integer(c_int32_t) :: status
    end function

    function c_specex_fits_get_key(file, name, buffer, capacity) &
        bind(c, name='specex_fits_get_key') result(status)
      import
      type(c_ptr), value :: file
      character(kind=c_char), intent(in) :: name(*)
      character(kind=c_char), intent(inout) :: buffer(*)
      integer(c_int64_t), value :: capacity
      integer(c_int32_t) :: status
    end function

    function c_specex_fits_write_frame(context, path, frame, output) &
        bind(c, name='specex_fits_write_frame') result(status)
      import
      type(c_ptr), value :: context
      character(kind=c_char), intent(in) :: path(*)
      type(specex_frame), intent(in) :: frame
      type(specex_fits_output), intent(in) :: output
      integer(c_int32_t) :: status
    end function

    function c_specex_fits_write_image(context, path, image, mask, output) &
        bind(c, name='specex_fits_write_image') result(status)
      import
      type(c_ptr), value :: context
      character(kind=c_char), intent(in) :: path(*)
      type(specex_image), intent(in) :: image
      type(c_ptr), value :: mask
      type(specex_fits_output), intent(in) :: output
      integer(c_int32_t) :: status
    end function

    function c_specex_fits_write_psf(context, path, psf, output) &
        bind(c, name='specex_fits_write_psf') result(status)
      import
      type(c_ptr), value :: context
      character(kind=c_char), intent(in) :: path(*)
      type(specex_psf), intent(in) :: psf
      type(specex_fits_output), intent(in) :: output
      integer(c_int32_t) :: status
    end function
  end interface
end module
