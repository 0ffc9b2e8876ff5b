! SPDX-License-Identifier: BSD-3-Clause
!
! From the PSF to the frame: what was put into an image comes out of it, in Fortran's
! order, and every call says what it is refused for.
module heard
  use, intrinsic :: iso_c_binding, only: c_int32_t, c_int64_t
  implicit none
  integer :: lines = 0, patches = 0
  character(200) :: line = ''

contains

  subroutine hear(level, message)
    integer(c_int32_t), intent(in) :: level
    character(*), intent(in) :: message
    if (level > 0) lines = lines + 1
    line = message
  end subroutine

  function count_patches(done, total) result(stop_now)
    integer(c_int64_t), intent(in) :: done, total
    logical :: stop_now
    if (done <= total) patches = patches + 1
    stop_now = .false.
  end function

  function stop_at_once(done, total) result(stop_now)
    integer(c_int64_t), intent(in) :: done, total
    logical :: stop_now
    stop_now = done <= total
  end function
end module

program test_extract
  use, intrinsic :: iso_c_binding, only: c_double, c_int32_t, c_int64_t
  use, intrinsic :: ieee_arithmetic, only: ieee_is_finite, ieee_quiet_nan, ieee_value
  use libspecex
  use checks
  use heard
  use small_case
  implicit none
  type(specex_context) :: context, empty
  type(specex_grid) :: grid
  type(specex_image) :: image
  character(200) :: message
  integer :: stat

  ! Threads that the program has started before, with its own traps, then work for us.
  !$omp parallel
  !$omp end parallel
  call make_context(context, grid)
  call make_image(context, grid, image)
  call empty%create()

  call grid_is_checked()
  call psf_is_checked()
  call trace_is_where_the_psf_says()
  call projection_is_checked()
  call plan_counts_fibers_from_zero()
  call patches_make_the_frame()
  call frame_holds_the_truth()
  call stages_take_time()
  call unusable_pixels_are_heard_of()
  call progress_counts_and_stops()
  call finish()

contains

  subroutine grid_is_checked()
    type(specex_grid) :: other
    call check(grid%nwave == nwave, 'bins of the grid')
    call specex_grid_from_range(6000d0, 6001d0, -1d0, other, stat, message)
    call check_error(stat, message, SPECEX_ERROR_ARGUMENT, 'steps of -1')
  end subroutine

  subroutine psf_is_checked()
    type(specex_psf_info) :: info
    type(specex_psf) :: psf
    call make_psf(psf)
    call context%set_psf(psf, names, stat, message)
    call check_ok(stat, 'set_psf')
    call context%get_psf_info(info, stat)
    call check_ok(stat, 'get_psf_info')
    call check(info%nspec == nspec .and. info%ndiag == ndiag, 'sizes of the PSF')
    call empty%get_psf_info(info, stat, message)
    call check_error(stat, message, SPECEX_ERROR_STATE, 'specex_set_psf')
    call empty%set_psf(psf, names(2:), stat, message)
    call check_error(stat, message, SPECEX_ERROR_ARGUMENT, '4 parameters, but 3 names')
    call empty%set_psf(psf, stat=stat, errmsg=message)
    call check_error(stat, message, SPECEX_ERROR_ARGUMENT, 'param_names')
    psf%wavemax = psf%wavemin
    call empty%set_psf(psf, names, stat, message)
    call check_error(stat, message, SPECEX_ERROR_PSF, 'no range')
  end subroutine

  subroutine trace_is_where_the_psf_says()
    real(c_double) :: wave(3), x(3), y(3)
    wave = [6000, 6010, 6020]
    call context%trace(2, wave, x, y, stat)
    call check_ok(stat, 'trace')
    call check(abs(x(2) - 25) < 1d-12, 'the third fibre is fibre 2')
    call check(all(y(2:) > y(:2)), 'rows rise with the wavelength')
    call context%trace(2, wave, x(:2), y, stat, message)
    call check_error(stat, message, SPECEX_ERROR_ARGUMENT, 'size of wave, 3')
    call context%trace(nspec, wave, x, y, stat, message)
    call check_error(stat, message, SPECEX_ERROR_RANGE, 'fib')
  end subroutine

  subroutine projection_is_checked()
    call check(maxval(pixels) > 10, 'light in the image')
    call check(sum(pixels(:, :5)) < 1d-9*sum(pixels), 'rows are the second index')
    call context%project(grid, 0, truth(2:, :), pixels, stat, message)
    call check_error(stat, message, SPECEX_ERROR_ARGUMENT, '[nwave of the grid, nspec]')
    call context%project(grid, 1, truth, pixels, stat, message)
    call check_error(stat, message, SPECEX_ERROR_RANGE, 'fib')
    call context%project(grid, 0, truth, pixels)
  end subroutine

  subroutine plan_counts_fibers_from_zero()
    type(specex_patch), allocatable :: patches(:)
    call context%plan(grid, 0, nspec, patches, stat)
    call check_ok(stat, 'plan')
    call check(size(patches) == 2, 'two patches of ten bins')
    call check(all(patches%first_fiber == 0), 'the first fibre is fibre 0')
    call context%plan(grid, 1, nspec, patches, stat, message)
    call check_error(stat, message, SPECEX_ERROR_RANGE, 'fib')
    call check(size(patches) == 0, 'no patches come of it')
    call empty%plan(grid, 0, nspec, patches, stat, message)
    call check_error(stat, message, SPECEX_ERROR_STATE, 'specex_set_psf')
  end subroutine

  ! The three steps give the bits that extract_frame gives.
  subroutine patches_make_the_frame()
    type :: arrays
      real(c_double), allocatable :: flux(:, :), ivar(:, :), resolution(:, :, :)
      real(c_double), allocatable :: chi2pix(:, :), pixmask_fraction(:, :), model(:, :)
      integer(c_int32_t), allocatable :: mask(:, :)
    end type
    type(arrays), allocatable, target :: own(:)
    type(specex_patch), allocatable :: patches(:)
    type(specex_result), allocatable :: results(:)
    type(specex_frame) :: assembled, frame
    real(c_double), target, dimension(nwave, nspec) :: flux, ivar, whole_flux, whole_ivar
    integer :: i
    call context%plan(grid, 0, nspec, patches)
    allocate (own(size(patches)), results(size(patches)))
    do i = 1, size(patches)
      associate (nbin => patches(i)%nbin, nfiber => patches(i)%nfiber)
        allocate (own(i)%flux(nbin, nfiber), own(i)%ivar(nbin, nfiber), &
                  own(i)%chi2pix(nbin, nfiber), own(i)%pixmask_fraction(nbin, nfiber), &
                  own(i)%mask(nbin, nfiber), own(i)%resolution(nbin, ndiag, nfiber), &
                  own(i)%model(patches(i)%xmax - patches(i)%xmin, &
                               patches(i)%ymax - patches(i)%ymin))
      end associate
      call specex_view(results(i), patches(i), own(i)%flux, own(i)%ivar, own(i)%mask, &
                       own(i)%resolution, own(i)%chi2pix, own(i)%pixmask_fraction, &
                       own(i)%model, stat)
      call check_ok(stat, 'view of a result')
    end do
    call context%extract_patches(image, patches, results, stat)
    call check_ok(stat, 'extract_patches')
    call check(all(results%status == SPECEX_OK .and. results%path /= SPECEX_PATH_NONE), &
               'every patch was solved')
    call specex_view(assembled, 0, flux, ivar)
    call context%assemble(patches, results, assembled, stat)
    call check_ok(stat, 'assemble')
    call specex_view(frame, 0, whole_flux, whole_ivar)
    call context%extract_frame(image, grid, frame, stat)
    call check_ok(stat, 'extract_frame')
    call check(all(flux == whole_flux) .and. all(ivar == whole_ivar), 'the same bits')

    call context%extract_patches(image, patches, results(:1), stat, message)
    call check_error(stat, message, SPECEX_ERROR_ARGUMENT, '2 patches, but 1 results')
    call context%assemble(patches(:1), results, assembled, stat, message)
    call check_error(stat, message, SPECEX_ERROR_ARGUMENT, '1 patches, but 2 results')
    call empty%extract_patches(image, patches, results, stat, message)
    call check_error(stat, message, SPECEX_ERROR_STATE, 'specex_set_psf')
    assembled%struct_size = 8
    call context%assemble(patches, results, assembled, stat, message)
    call check_error(stat, message, SPECEX_ERROR_VERSION, 'frame')
  end subroutine

  ! Fibres 1 and 2 of three: fluxes are asymmetric in both indices, so that a wrong order
  ! or an offset of one would show.
  subroutine frame_holds_the_truth()
    type(specex_frame) :: frame
    type(specex_image) :: wrong
    real(c_double), target, dimension(nwave, 2) :: flux, ivar, chi2pix, pixmask_fraction
    real(c_double), target :: resolution(nwave, ndiag, 2), wavelength(nwave)
    real(c_double), target :: model(nx, ny)
    integer(c_int32_t), target :: mask(nwave, 2)
    real(c_double) :: expected
    integer :: bin, fiber, diagonal
    call specex_view(frame, 1, flux, ivar, mask, resolution, wavelength, chi2pix, &
                     pixmask_fraction, model)
    call context%extract_frame(image, grid, frame, stat)
    call check_ok(stat, 'extract_frame')
    call check(abs(wavelength(nwave) - (first_wave + (nwave - 1)*wavestep)) < 1d-9, &
               'the last wavelength')
    call check(all(mask == 0) .and. all(ivar > 0), 'every bin was measured')
    call check(all(ieee_is_finite(chi2pix)) .and. all(pixmask_fraction <= 1), 'quality')
    call check(all(abs(model - pixels) < 1d-3*maxval(pixels)), 'a model image')
    do fiber = 1, 2
      do bin = hsize + 1, nwave - hsize  ! whose whole row of the matrix is there
        expected = 0
        do diagonal = 1, ndiag  ! R(bin, column) is at [column, diagonal]
          associate (column => bin + hsize + 1 - diagonal)
            expected = expected + &
                       resolution(column, diagonal, fiber)*truth(column, fiber + 1)
          end associate
        end do
        call check(abs(flux(bin, fiber)/expected - 1) < 0.02d0, 'flux = R times truth')
      end do
    end do
    call check(frame%npatch == 2 .and. frame%npatch_failed == 0, 'counts of patches')

    frame%ndiag = ndiag + 2
    call context%extract_frame(image, grid, frame, stat, message)
    call check_error(stat, message, SPECEX_ERROR_ARGUMENT, 'ndiag')
    frame%ndiag = ndiag
    wrong = image
    wrong%type = 7
    call context%extract_frame(wrong, grid, frame, stat, message)
    call check_error(stat, message, SPECEX_ERROR_ARGUMENT, 'type')
    frame%memory = 2
    call context%extract_frame(image, grid, frame, stat, message)
    call check_error(stat, message, SPECEX_ERROR_ARGUMENT, 'SPECEX_MEMORY_DEVICE')
  end subroutine

  subroutine stages_take_time()
    real(c_double) :: seconds(SPECEX_STAGE_FRAME:SPECEX_NSTAGE - 1)
    call extract_twenty_bins(stat)
    call context%stage_seconds(seconds, stat)
    call check_ok(stat, 'stage_seconds')
    call check(sum(seconds) > 0 .and. seconds(SPECEX_STAGE_SPOTS) > 0, 'time of stages')
    call empty%destroy()
    call empty%stage_seconds(seconds, stat, message)
    call check_error(stat, message, SPECEX_ERROR_ARGUMENT, 'context')
  end subroutine

  subroutine unusable_pixels_are_heard_of()
    real(c_double) :: pixel
    pixel = pixels(10, 40)
    pixels(10, 40) = ieee_value(pixel, ieee_quiet_nan)
    call context%set_log(hear, stat)
    call check_ok(stat, 'set_log')
    call extract_twenty_bins(stat)
    call check_ok(stat, 'extraction with a pixel that is no number')
    call check(lines == 1 .and. index(line, '1 ') > 0, 'one line: '//trim(line))
    call context%set_log(stat=stat)
    call check_ok(stat, 'set_log without a procedure')
    call extract_twenty_bins(stat)
    call check(lines == 1, 'nothing is heard any more')
    pixels(10, 40) = pixel
  end subroutine

  subroutine progress_counts_and_stops()
    call context%set_progress(count_patches, stat)
    call check_ok(stat, 'set_progress')
    call extract_twenty_bins(stat)
    call check_ok(stat, 'extraction')
    call check(patches > 0, 'progress was called')
    call context%set_progress(stop_at_once)
    call extract_twenty_bins(stat)
    call check_error(stat, message, SPECEX_CANCELLED, 'progress')
    call context%set_progress()
    call extract_twenty_bins(stat)
    call check_ok(stat, 'extraction after a cancelled one')
  end subroutine

  subroutine extract_twenty_bins(stat)
    integer, intent(out) :: stat
    type(specex_frame) :: frame
    real(c_double), target :: flux(nwave, nspec)
    call specex_view(frame, 0, flux)
    call context%extract_frame(image, grid, frame, stat, message)
  end subroutine
end program
