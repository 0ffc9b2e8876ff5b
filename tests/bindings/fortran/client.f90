! SPDX-License-Identifier: BSD-3-Clause
!
! client PSF PREPROC FRAME WAVEMIN WAVEMAX WAVESTEP FIRST NSPEC: extracts fibres with the
! default options and writes a frame, as a user's program would.
program client
  use, intrinsic :: iso_c_binding, only: c_double, c_int32_t
  use libspecex
  implicit none
  type(specex_context) :: context
  type(specex_fits_file) :: psf_file, image_file
  type(specex_psf) :: psf
  type(specex_psf_info) :: info
  type(specex_image) :: image
  type(specex_grid) :: grid
  type(specex_frame) :: frame
  real(c_double), allocatable, target, dimension(:, :) :: flux, ivar, chi2pix, fraction
  real(c_double), allocatable, target :: wavelength(:), resolution(:, :, :)
  integer(c_int32_t), allocatable, target :: mask(:, :)
  integer :: first, nspec

  call context%create()
  call psf_file%read_psf(context, argument(1))
  call psf_file%get_psf(psf)
  call context%set_psf(psf)
  call context%get_psf_info(info)
  call image_file%read_image(context, argument(2))
  call image_file%get_image(image)
  call specex_grid_from_range(real_argument(4), real_argument(5), real_argument(6), grid)
  first = nint(real_argument(7))
  nspec = nint(real_argument(8))
  allocate (wavelength(grid%nwave), resolution(grid%nwave, info%ndiag, nspec))
  allocate (flux(grid%nwave, nspec))
  allocate (ivar, chi2pix, fraction, mold=flux)
  allocate (mask(grid%nwave, nspec))
  call specex_view(frame, first, flux, ivar, mask, resolution, wavelength, chi2pix, &
                   fraction)
  call context%extract_frame(image, grid, frame)
  call specex_fits_write_frame(context, argument(3), frame, input=image_file)

contains

  function argument(number) result(text)
    integer, intent(in) :: number
    character(:), allocatable :: text
    integer :: length
    call get_command_argument(number, length=length)
    allocate (character(length) :: text)
    call get_command_argument(number, text)
  end function

  function real_argument(number) result(value)
    integer, intent(in) :: number
    real(c_double) :: value
    character(:), allocatable :: text
    text = argument(number)
    read (text, *) value
  end function
end program
