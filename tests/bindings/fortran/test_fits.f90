! SPDX-License-Identifier: BSD-3-Clause
!
! Files: what is written is read back, keys and tables are passed on, and every failure
! says why.
program test_fits
  use, intrinsic :: iso_c_binding, only: c_associated, c_double, c_int32_t, c_int64_t
  use libspecex
  use checks
  use small_case
  implicit none
  type(specex_context) :: context
  type(specex_grid) :: grid
  character(200) :: message
  integer :: stat

  call make_context(context, grid)
  call psf_comes_back()
  call image_comes_back()
  call frame_comes_back_with_the_keys_of_its_image()
  call fibermap_is_passed_on()
  call failures_say_why()
  call finish()

contains

  subroutine psf_comes_back()
    type(specex_fits_file) :: file
    type(specex_psf) :: psf
    type(specex_image) :: image
    real(c_double), pointer :: x(:, :), y(:, :), p(:, :, :)
    call make_psf(psf)
    call specex_fits_write_psf(context, 'psf.fits', psf, names, stat=stat)
    call check_ok(stat, 'specex_fits_write_psf')
    call specex_fits_write_psf(context, 'psf.fits', psf, names(:1), stat=stat, &
                               errmsg=message)
    call check_error(stat, message, SPECEX_ERROR_ARGUMENT, '4 parameters, but 1 names')
    call file%read_psf(context, 'psf.fits   ', stat)
    call check_ok(stat, 'read_psf')
    call file%get_psf(psf, stat)
    call check_ok(stat, 'get_psf')
    call specex_arrays(psf, x, y, p)
    call check(all(x == xtrace) .and. all(y == ytrace) .and. all(p == params), &
               'the same series')
    call context%set_psf(psf, stat=stat)
    call check_ok(stat, 'set_psf of a PSF from a file')
    call file%get_image(image, stat, message)
    call check_error(stat, message, SPECEX_ERROR_ARGUMENT, 'not read as an image')
  end subroutine

  subroutine image_comes_back()
    type(specex_fits_file) :: file, bright
    type(specex_image) :: image
    type(specex_frame) :: frame
    real(c_double), pointer :: data(:, :), ivar(:, :)
    integer(c_int32_t) :: mask(nx, ny)
    character(:), allocatable :: value
    call make_image(context, grid, image)
    mask = 0
    mask(3, 2) = 1
    call specex_fits_write_image( &
      context, 'image.fits', image, mask, float64=.true., stat=stat, &
      cards=[specex_card('CAMERA', 'r0', 'camera'), &
             specex_card('EXPTIME', '900.5', type=SPECEX_CARD_REAL)])
    call check_ok(stat, 'specex_fits_write_image')
    call specex_fits_write_image(context, 'image.fits', image, mask(:, 2:), stat=stat, &
                                 errmsg=message)
    call check_error(stat, message, SPECEX_ERROR_ARGUMENT, 'mask')
    call file%read_image(context, 'image.fits', stat=stat)
    call check_ok(stat, 'read_image')
    call file%get_image(image, stat)
    call check_ok(stat, 'get_image')
    call check(image%type == SPECEX_FLOAT64, 'pixels as they were written')
    call specex_arrays(image, data, ivar)
    call check(all(data == pixels), 'the same pixels')
    call check(ivar(3, 2) == 0 .and. count(ivar == 0) == 1, 'mask is [nx, ny]')
    call file%get_key('CAMERA', value, stat)
    call check(stat == SPECEX_OK .and. value == 'r0', 'CAMERA is '//value)
    call file%get_key('EXPTIME', value, stat)
    call check(stat == SPECEX_OK .and. value == '900.5', 'EXPTIME is '//value)
    call file%get_key('ABSENT', value, stat, message)
    call check_error(stat, message, SPECEX_ERROR_ARGUMENT, 'ABSENT')
    call check(value == '', 'an absent key is empty')
    call bright%read_image(context, 'image.fits', badmask=0_c_int64_t)
    call bright%get_image(image)
    call specex_arrays(image, data, ivar)
    call check(all(ivar > 0), 'no bit of the mask is bad')
    call file%get_frame(frame, stat, message)
    call check_error(stat, message, SPECEX_ERROR_ARGUMENT, 'frame')
    call file%free()
    call check(.not. c_associated(file%c_handle()), 'the file is freed')
    call file%get_image(image, stat, message)
    call check_error(stat, message, SPECEX_ERROR_ARGUMENT, 'NULL')
  end subroutine

  subroutine frame_comes_back_with_the_keys_of_its_image()
    type(specex_fits_file) :: input, file
    type(specex_frame) :: frame
    real(c_double), target :: flux(nwave, nspec), wavelength(nwave)
    real(c_double), pointer :: data(:, :), ivar(:, :)
    character(:), allocatable :: value
    type(specex_psf) :: psf
    call input%read_image(context, 'image.fits')
    flux = truth
    wavelength = first_wave
    call specex_view(frame, 0, flux, wavelength=wavelength)
    call specex_fits_write_frame(context, 'frame.fits', frame, input, float64=.true., &
                                 cards=[specex_card('EXTRA', 'T', &
                                                    type=SPECEX_CARD_LOGICAL)], stat=stat)
    call check_ok(stat, 'specex_fits_write_frame')
    call file%read_frame(context, 'frame.fits', stat)
    call check_ok(stat, 'read_frame')
    call file%get_frame(frame, stat)
    call check_ok(stat, 'get_frame')
    nullify (ivar)
    call specex_arrays(frame, data, ivar)
    call check(all(data == truth), 'the same flux')
    call check(.not. associated(ivar), 'what was left out is not there')
    call file%get_key('CAMERA', value, stat)
    call check(stat == SPECEX_OK .and. value == 'r0', 'CAMERA is passed on')
    call file%get_key('EXTRA', value, stat)
    call check(stat == SPECEX_OK .and. value == 'T', 'EXTRA is added')
    call file%get_psf(psf, stat, message)
    call check_error(stat, message, SPECEX_ERROR_ARGUMENT, 'PSF')
    call specex_fits_write_frame(context, 'absent/frame.fits', frame, stat=stat, &
                                 errmsg=message)
    call check_error(stat, message, SPECEX_ERROR_IO, 'absent/frame.fits')
    call specex_fits_write_frame(context, 'frame.fits', frame, stat=stat, &
                                 errmsg=message, &
                                 cards=[specex_card('lower case', 'x')])
    call check_error(stat, message, SPECEX_ERROR_ARGUMENT, 'name of output.cards[0]')
    call specex_fits_write_frame(context, 'frame.fits', frame, stat=stat, &
                                 errmsg=message, &
                                 cards=[specex_card(value='x')])
    call check_error(stat, message, SPECEX_ERROR_ARGUMENT, 'name')
  end subroutine

  subroutine fibermap_is_passed_on()
    type(specex_fits_file) :: fibermap
    type(specex_frame) :: frame
    real(c_double), target :: flux(nwave, nspec), wavelength(nwave)
    call write_fibermap('fibermap.fits')
    call fibermap%read_fibermap(context, 'fibermap.fits', stat, message)
    call check_ok(stat, 'read_fibermap')
    flux = truth
    wavelength = first_wave
    call specex_view(frame, 0, flux, wavelength=wavelength)
    call specex_fits_write_frame(context, 'mapped.fits', frame, fibermap=fibermap, &
                                 stat=stat)
    call check_ok(stat, 'specex_fits_write_frame with a fibermap')
    call fibermap%read_fibermap(context, 'mapped.fits', stat)
    call check_ok(stat, 'read_fibermap of what was passed on')
  end subroutine

  ! A table of one number for each fibre: an empty first HDU, then header and data.
  subroutine write_fibermap(path)
    character(*), intent(in) :: path
    character(80), parameter :: first(36) = [character(80) :: &
      'SIMPLE  =                    T', 'BITPIX  =                    8', &
      'NAXIS   =                    0', 'EXTEND  =                    T', 'END', &
      spread('', 1, 31)]
    character(80), parameter :: table(36) = [character(80) :: &
      "XTENSION= 'BINTABLE'", 'BITPIX  =                    8', &
      'NAXIS   =                    2', 'NAXIS1  =                    8', &
      'NAXIS2  =                    3', 'PCOUNT  =                    0', &
      'GCOUNT  =                    1', 'TFIELDS =                    1', &
      "TTYPE1  = 'TARGETID'", "TFORM1  = 'K       '", "EXTNAME = 'FIBERMAP'", 'END', &
      spread('', 1, 24)]
    integer :: unit
    open (newunit=unit, file=path, access='stream', status='replace')
    write (unit) first, table, repeat(achar(0), 2880)
    close (unit)
  end subroutine

  subroutine failures_say_why()
    type(specex_fits_file) :: file
    type(specex_context) :: none
    type(specex_psf) :: psf
    type(specex_image) :: image
    call file%read_image(context, 'absent.fits', stat=stat, errmsg=message)
    call check_error(stat, message, SPECEX_ERROR_IO, 'absent.fits')
    call file%read_image(context, 'image.fits', -1_c_int64_t, stat, message)
    call check_error(stat, message, SPECEX_ERROR_ARGUMENT, 'badmask')
    call file%read_psf(context, 'absent.fits', stat, message)
    call check_error(stat, message, SPECEX_ERROR_IO, 'absent.fits')
    call file%read_frame(context, 'image.fits', stat, message)
    call check_error(stat, message, SPECEX_ERROR_FORMAT, 'FLUX')
    call file%read_fibermap(context, 'image.fits', stat, message)
    call check_error(stat, message, SPECEX_ERROR_FORMAT, 'FIBERMAP')
    call file%read_psf(none, 'psf.fits', stat, message)
    call check_error(stat, message, SPECEX_ERROR_ARGUMENT, 'context')
    call check(.not. c_associated(file%c_handle()), 'no file came of it')
    call file%free()
    call specex_fits_write_image(context, 'image.fits', image, stat=stat, errmsg=message)
    call check_error(stat, message, SPECEX_ERROR_ARGUMENT, 'image')
    call specex_fits_write_psf(context, 'psf.fits', psf, stat=stat, errmsg=message)
    call check_error(stat, message, SPECEX_ERROR_ARGUMENT, 'size of the PSF')
  end subroutine
end program
