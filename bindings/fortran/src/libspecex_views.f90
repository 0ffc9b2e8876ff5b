! SPDX-License-Identifier: BSD-3-Clause
!
! From Fortran's arrays to the structs that borrow them. Nothing is copied: an array must
! have the TARGET attribute, which the compiler checks, must be contiguous and of the
! right shape, which is checked here, and must outlive the struct.
module libspecex_views
  use, intrinsic :: iso_c_binding, only: c_double, c_float, c_int32_t, c_loc, &
                                         c_null_ptr, c_ptr
  use libspecex_types
  use libspecex_text, only: number_text, refuse
  implicit none
  private
  public :: specex_view

  interface specex_view
    module procedure view_image32, view_image64, view_psf, view_result, view_frame
  end interface

contains

  subroutine view_image32(image, pixels, ivar, stat, errmsg)
    type(specex_image), intent(out) :: image
    real(c_float), pointer, intent(in) :: pixels(:, :)
    real(c_float), pointer, intent(in), optional :: ivar(:, :)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    character(:), allocatable :: problem
    image = image_of_shape(SPECEX_FLOAT32, shape(pixels))
    call lend(image%pixels, 'pixels', shape(pixels), pixels, problem)
    if (present(ivar)) call lend(image%ivar, 'ivar', shape(pixels), ivar, problem)
    call finish(problem, stat, errmsg)
  end subroutine

  subroutine view_image64(image, pixels, ivar, stat, errmsg)
    type(specex_image), intent(out) :: image
    real(c_double), pointer, intent(in) :: pixels(:, :)
    real(c_double), pointer, intent(in), optional :: ivar(:, :)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    character(:), allocatable :: problem
    image = image_of_shape(SPECEX_FLOAT64, shape(pixels))
    call lend(image%pixels, 'pixels', shape(pixels), pixels, problem)
    if (present(ivar)) call lend(image%ivar, 'ivar', shape(pixels), ivar, problem)
    call finish(problem, stat, errmsg)
  end subroutine

  function image_of_shape(type, sizes) result(image)
    integer(c_int32_t), intent(in) :: type
    integer, intent(in) :: sizes(2)
    type(specex_image) :: image
    image%type = type
    image%nx = sizes(1)
    image%ny = sizes(2)
    image%pixels_stride = image%nx
    image%ivar_stride = image%nx
  end function

  ! Sets the sizes and arrays of a PSF; its other fields are the caller's.
  subroutine view_psf(psf, xtrace, ytrace, params, stat, errmsg)
    type(specex_psf), intent(inout) :: psf
    real(c_double), pointer, intent(in) :: xtrace(:, :), ytrace(:, :), params(:, :, :)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    character(:), allocatable :: problem
    integer :: nspec
    nspec = size(xtrace, 2)
    psf%nspec = nspec
    psf%xtrace_ncoef = size(xtrace, 1)
    psf%ytrace_ncoef = size(ytrace, 1)
    psf%ncoef = size(params, 1)
    psf%nparam = size(params, 3)
    call lend(psf%xtrace, 'xtrace', shape(xtrace), xtrace, problem)
    call lend(psf%ytrace, 'ytrace', [size(ytrace, 1), nspec], ytrace, problem)
    call lend(psf%params, 'params', [size(params, 1), nspec, size(params, 3)], params, &
              problem)
    call finish(problem, stat, errmsg)
  end subroutine

  ! The arrays that a patch is extracted to: whichever are wanted.
  subroutine view_result(result, patch, flux, ivar, mask, resolution, chi2pix, &
                         pixmask_fraction, model, stat, errmsg)
    type(specex_result), intent(out) :: result
    type(specex_patch), intent(in) :: patch
    real(c_double), pointer, intent(in), optional :: flux(:, :), ivar(:, :)
    integer(c_int32_t), pointer, intent(in), optional :: mask(:, :)
    real(c_double), pointer, intent(in), optional :: resolution(:, :, :)
    real(c_double), pointer, intent(in), optional :: chi2pix(:, :), pixmask_fraction(:, :)
    real(c_double), pointer, intent(in), optional :: model(:, :)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    character(:), allocatable :: problem
    integer :: sizes(2)
    sizes = [patch%nbin, patch%nfiber]
    if (present(flux)) call lend(result%flux, 'flux', sizes, flux, problem)
    if (present(ivar)) call lend(result%ivar, 'ivar', sizes, ivar, problem)
    if (present(mask)) call lend(result%mask, 'mask', sizes, mask, problem)
    if (present(resolution)) &
      call lend(result%resolution, 'resolution', &
                [patch%nbin, patch%ndiag, patch%nfiber], resolution, problem)
    if (present(chi2pix)) call lend(result%chi2pix, 'chi2pix', sizes, chi2pix, problem)
    if (present(pixmask_fraction)) &
      call lend(result%pixmask_fraction, 'pixmask_fraction', sizes, pixmask_fraction, &
                problem)
    if (present(model)) &
      call lend(result%model, 'model', &
                [patch%xmax - patch%xmin, patch%ymax - patch%ymin], model, problem)
    call finish(problem, stat, errmsg)
  end subroutine

  ! A frame has as many bins and fibres as flux; first_fiber counts FROM 0, as everywhere:
  ! flux(:, 1) is fibre first_fiber.
  subroutine view_frame(frame, first_fiber, flux, ivar, mask, resolution, wavelength, &
                        chi2pix, pixmask_fraction, model, stat, errmsg)
    type(specex_frame), intent(out) :: frame
    integer(c_int32_t), intent(in) :: first_fiber
    real(c_double), pointer, intent(in) :: flux(:, :)
    real(c_double), pointer, intent(in), optional :: ivar(:, :)
    integer(c_int32_t), pointer, intent(in), optional :: mask(:, :)
    real(c_double), pointer, intent(in), optional :: resolution(:, :, :)
    real(c_double), pointer, intent(in), optional :: wavelength(:)
    real(c_double), pointer, intent(in), optional :: chi2pix(:, :), pixmask_fraction(:, :)
    real(c_double), pointer, intent(in), optional :: model(:, :)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    character(:), allocatable :: problem
    integer :: sizes(2)
    frame%first_fiber = first_fiber
    frame%nwave = size(flux, 1)
    frame%nspec = size(flux, 2)
    sizes = shape(flux)
    call lend(frame%flux, 'flux', sizes, flux, problem)
    if (present(ivar)) call lend(frame%ivar, 'ivar', sizes, ivar, problem)
    if (present(mask)) call lend(frame%mask, 'mask', sizes, mask, problem)
    if (present(wavelength)) &
      call lend(frame%wavelength, 'wavelength', sizes(1:1), wavelength, problem)
    if (present(chi2pix)) call lend(frame%chi2pix, 'chi2pix', sizes, chi2pix, problem)
    if (present(pixmask_fraction)) &
      call lend(frame%pixmask_fraction, 'pixmask_fraction', sizes, pixmask_fraction, &
                problem)
    if (present(resolution)) then  ! the PSF decides on ndiag: extraction checks it
      frame%ndiag = size(resolution, 2)
      call lend(frame%resolution, 'resolution', [sizes(1), frame%ndiag, sizes(2)], &
                resolution, problem)
    end if
    if (present(model)) then
      frame%model_nx = size(model, 1)
      frame%model_ny = size(model, 2)
      call lend(frame%model, 'model', shape(model), model, problem)
    end if
    call finish(problem, stat, errmsg)
  end subroutine

  ! The address of an array; NULL where it is not associated. The first problem is kept.
  subroutine lend(address, name, sizes, array, problem)
    type(c_ptr), intent(out) :: address
    character(*), intent(in) :: name
    integer, intent(in) :: sizes(:)
    type(*), intent(in), target, optional :: array(..)
    character(:), allocatable, intent(inout) :: problem
    address = c_null_ptr
    if (.not. present(array) .or. allocated(problem)) return
    if (any(shape(array) /= sizes)) then
      problem = name//' has the shape '//shape_text(shape(array))//', but '// &
                shape_text(sizes)//' is needed'
    else if (.not. is_contiguous(array)) then
      problem = name//' is not contiguous: pass a whole array, or a copy of the section'
    else
      address = c_loc(array)
    end if
  end subroutine

  subroutine finish(problem, stat, errmsg)
    character(:), allocatable, intent(in) :: problem
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    if (allocated(problem)) then
      call refuse(problem, stat, errmsg)
    else if (present(stat)) then
      stat = SPECEX_OK
    end if
  end subroutine

  function shape_text(sizes) result(text)
    integer, intent(in) :: sizes(:)
    character(:), allocatable :: text
    integer :: i
    text = '['//number_text(sizes(1))
    do i = 2, size(sizes)
      text = text//', '//number_text(sizes(i))
    end do
    text = text//']'
  end function
end module
