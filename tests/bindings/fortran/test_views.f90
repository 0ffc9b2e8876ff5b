! SPDX-License-Identifier: BSD-3-Clause
!
! Arrays of a wrong shape, or not contiguous, are refused; what a struct borrows is what
! it gives back.
program test_views
  use, intrinsic :: iso_c_binding, only: c_associated, c_double, c_float, c_int32_t
  use libspecex
  use checks
  implicit none
  real(c_double), target :: a(6, 4), b(6, 4), cube(6, 5, 4), params(3, 4, 2), line(6)
  real(c_float), target :: single(6, 4)
  integer(c_int32_t), target :: mask(6, 4)
  character(200) :: message
  integer :: stat

  call image_lends_what_it_borrows()
  call frame_lends_what_it_borrows()
  call shapes_are_checked()
  call sections_must_be_contiguous()
  call finish()

contains

  subroutine image_lends_what_it_borrows()
    type(specex_image) :: image
    real(c_double), pointer :: pixels(:, :), ivar(:, :)
    real(c_float), pointer :: pixels32(:, :)
    call specex_view(image, a, b, stat)
    call check_ok(stat, 'view of an image')
    call check(image%nx == 6 .and. image%ny == 4 .and. image%pixels_stride == 6, 'sizes')
    call specex_arrays(image, pixels, ivar, stat)
    call check_ok(stat, 'arrays of an image')
    call check(associated(pixels, a) .and. associated(ivar, b), 'no copies')
    call specex_arrays(image, pixels32, stat=stat, errmsg=message)
    call check_error(stat, message, SPECEX_ERROR_ARGUMENT, 'kind')
    call check(.not. associated(pixels32), 'no pointer came of it')
    call specex_view(image, single, stat=stat)
    call check(image%type == SPECEX_FLOAT32, 'single precision')
    call specex_arrays(image, pixels32, stat=stat)
    call check(associated(pixels32, single), 'no copy of single precision')
    call specex_arrays(image, pixels, ivar, stat, message)
    call check_error(stat, message, SPECEX_ERROR_ARGUMENT, 'kind')
    image%nx = 5
    call specex_arrays(image, pixels32)
    call check(associated(pixels32, single(:5, :)), 'a part of every row')
  end subroutine

  subroutine frame_lends_what_it_borrows()
    type(specex_frame) :: frame
    real(c_double), pointer :: flux(:, :), ivar(:, :), resolution(:, :, :), wavelength(:)
    integer(c_int32_t), pointer :: bits(:, :)
    nullify (ivar)
    call specex_view(frame, 7, a, ivar, mask, resolution=cube, wavelength=line, stat=stat)
    call check_ok(stat, 'view of a frame')
    call check(frame%first_fiber == 7 .and. frame%nspec == 4 .and. &
               frame%nwave == 6 .and. frame%ndiag == 5, 'sizes')
    call specex_arrays(frame, flux, ivar, bits, resolution, wavelength)
    call check(associated(flux, a) .and. associated(bits, mask) .and. &
               associated(resolution, cube) .and. associated(wavelength, line), &
               'no copies')
    call check(.not. associated(ivar), 'no ivar')
  end subroutine

  subroutine shapes_are_checked()
    type(specex_image) :: image
    type(specex_frame) :: frame
    type(specex_result) :: result
    type(specex_patch) :: patch
    type(specex_psf) :: psf
    call specex_view(image, a, b(:, :3), stat, message)
    call check_error(stat, message, SPECEX_ERROR_ARGUMENT, &
                     'ivar has the shape [6, 3], but [6, 4] is needed')
    call specex_view(frame, 0, a, ivar=b(:, :3), stat=stat, errmsg=message)
    call check_error(stat, message, SPECEX_ERROR_ARGUMENT, 'ivar')
    call specex_view(frame, 0, a, mask=mask(:, 2:), stat=stat, errmsg=message)
    call check_error(stat, message, SPECEX_ERROR_ARGUMENT, 'mask')
    call specex_view(frame, 0, a, wavelength=line(:5), stat=stat, errmsg=message)
    call check_error(stat, message, SPECEX_ERROR_ARGUMENT, '[5], but [6]')
    call specex_view(frame, 0, a, resolution=cube(:, :, :3), stat=stat, errmsg=message)
    call check_error(stat, message, SPECEX_ERROR_ARGUMENT, '[6, 5, 4] is needed')
    patch%nbin = 6
    patch%nfiber = 4
    patch%ndiag = 5
    call specex_view(result, patch, a, resolution=cube, stat=stat)
    call check_ok(stat, 'view of a result')
    call check(c_associated(result%flux) .and. .not. c_associated(result%ivar), 'arrays')
    call specex_view(result, patch, a, model=b, stat=stat, errmsg=message)
    call check_error(stat, message, SPECEX_ERROR_ARGUMENT, 'model')
    call specex_view(psf, a, b, params, stat, message)
    call check_ok(stat, 'view of a PSF')
    call check(psf%nspec == 4 .and. psf%nparam == 2 .and. psf%ncoef == 3, 'sizes')
    call specex_view(psf, a, b, cube, stat, message)
    call check_error(stat, message, SPECEX_ERROR_ARGUMENT, 'params')
  end subroutine

  subroutine sections_must_be_contiguous()
    type(specex_image) :: image
    type(specex_frame) :: frame
    call specex_view(image, a(::2, :), stat=stat, errmsg=message)
    call check_error(stat, message, SPECEX_ERROR_ARGUMENT, 'pixels is not contiguous')
    call specex_view(frame, 0, a, ivar=b(:, 4:1:-1), stat=stat, errmsg=message)
    call check_error(stat, message, SPECEX_ERROR_ARGUMENT, 'ivar is not contiguous')
    call specex_view(frame, 0, a(:, 2:3), ivar=b(:, :2), stat=stat)
    call check_ok(stat, 'whole columns')
  end subroutine
end program
