! SPDX-License-Identifier: BSD-3-Clause
!
! From the structs that borrow arrays to pointers to these arrays, for instance to those
! that a file lends. A pointer is disassociated where the struct has no such array.
module libspecex_arrays
  use, intrinsic :: iso_c_binding, only: c_associated, c_double, c_f_pointer, c_float, &
                                         c_int32_t, c_int64_t, c_ptr
  use libspecex_types
  use libspecex_text, only: refuse
  implicit none
  private
  public :: specex_arrays

  interface specex_arrays
    module procedure image_arrays32, image_arrays64, psf_arrays, frame_arrays
  end interface

contains

  ! The pointers' kind must be that of image%type: real32 or real64.
  subroutine image_arrays32(image, pixels, ivar, stat, errmsg)
    type(specex_image), intent(in) :: image
    real(c_float), pointer, intent(out) :: pixels(:, :)
    real(c_float), pointer, intent(out), optional :: ivar(:, :)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    nullify (pixels)
    if (present(ivar)) nullify (ivar)
    if (image%type /= SPECEX_FLOAT32) then
      call refuse('the pixels are not of kind c_float: see image%type', stat, errmsg)
      return
    end if
    if (present(stat)) stat = SPECEX_OK
    call attach_pixels32(image%pixels, [image%pixels_stride, image%ny], pixels)
    if (associated(pixels)) pixels => pixels(:image%nx, :)
    call attach_pixels32(image%ivar, [image%ivar_stride, image%ny], ivar)
    if (.not. present(ivar)) return
    if (associated(ivar)) ivar => ivar(:image%nx, :)
  end subroutine

  subroutine image_arrays64(image, pixels, ivar, stat, errmsg)
    type(specex_image), intent(in) :: image
    real(c_double), pointer, intent(out) :: pixels(:, :)
    real(c_double), pointer, intent(out), optional :: ivar(:, :)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    nullify (pixels)
    if (present(ivar)) nullify (ivar)
    if (image%type /= SPECEX_FLOAT64) then
      call refuse('the pixels are not of kind c_double: see image%type', stat, errmsg)
      return
    end if
    if (present(stat)) stat = SPECEX_OK
    call attach2(image%pixels, [image%pixels_stride, image%ny], pixels)
    if (associated(pixels)) pixels => pixels(:image%nx, :)
    call attach2(image%ivar, [image%ivar_stride, image%ny], ivar)
    if (.not. present(ivar)) return
    if (associated(ivar)) ivar => ivar(:image%nx, :)
  end subroutine

  subroutine psf_arrays(psf, xtrace, ytrace, params)
    type(specex_psf), intent(in) :: psf
    real(c_double), pointer, intent(out), optional :: xtrace(:, :), ytrace(:, :)
    real(c_double), pointer, intent(out), optional :: params(:, :, :)
    associate (nspec => int(psf%nspec, c_int64_t))
      call attach2(psf%xtrace, [int(psf%xtrace_ncoef, c_int64_t), nspec], xtrace)
      call attach2(psf%ytrace, [int(psf%ytrace_ncoef, c_int64_t), nspec], ytrace)
      call attach3(psf%params, &
                   [int(psf%ncoef, c_int64_t), nspec, int(psf%nparam, c_int64_t)], params)
    end associate
  end subroutine

  subroutine frame_arrays(frame, flux, ivar, mask, resolution, wavelength, chi2pix, &
                          pixmask_fraction, model)
    type(specex_frame), intent(in) :: frame
    real(c_double), pointer, intent(out), optional :: flux(:, :), ivar(:, :)
    integer(c_int32_t), pointer, intent(out), optional :: mask(:, :)
    real(c_double), pointer, intent(out), optional :: resolution(:, :, :), wavelength(:)
    real(c_double), pointer, intent(out), optional :: chi2pix(:, :)
    real(c_double), pointer, intent(out), optional :: pixmask_fraction(:, :)
    real(c_double), pointer, intent(out), optional :: model(:, :)
    associate (sizes => [frame%nwave, int(frame%nspec, c_int64_t)])
      call attach2(frame%flux, sizes, flux)
      call attach2(frame%ivar, sizes, ivar)
      call attach_mask(frame%mask, sizes, mask)
      call attach3(frame%resolution, [sizes(1), int(frame%ndiag, c_int64_t), sizes(2)], &
                   resolution)
      call attach1(frame%wavelength, sizes(1:1), wavelength)
      call attach2(frame%chi2pix, sizes, chi2pix)
      call attach2(frame%pixmask_fraction, sizes, pixmask_fraction)
      call attach2(frame%model, [frame%model_nx, frame%model_ny], model)
    end associate
  end subroutine

  subroutine attach_pixels32(address, sizes, array)
    type(c_ptr), intent(in) :: address
    integer(c_int64_t), intent(in) :: sizes(2)
    real(c_float), pointer, intent(out), optional :: array(:, :)
    if (.not. present(array)) return
    nullify (array)
    if (c_associated(address)) call c_f_pointer(address, array, sizes)
  end subroutine

  subroutine attach_mask(address, sizes, array)
    type(c_ptr), intent(in) :: address
    integer(c_int64_t), intent(in) :: sizes(2)
    integer(c_int32_t), pointer, intent(out), optional :: array(:, :)
    if (.not. present(array)) return
    nullify (array)
    if (c_associated(address)) call c_f_pointer(address, array, sizes)
  end subroutine

  subroutine attach1(address, sizes, array)
    type(c_ptr), intent(in) :: address
    integer(c_int64_t), intent(in) :: sizes(1)
    real(c_double), pointer, intent(out), optional :: array(:)
    if (.not. present(array)) return
    nullify (array)
    if (c_associated(address)) call c_f_pointer(address, array, sizes)
  end subroutine

  subroutine attach2(address, sizes, array)
    type(c_ptr), intent(in) :: address
    integer(c_int64_t), intent(in) :: sizes(2)
    real(c_double), pointer, intent(out), optional :: array(:, :)
    if (.not. present(array)) return
    nullify (array)
    if (c_associated(address)) call c_f_pointer(address, array, sizes)
  end subroutine

  subroutine attach3(address, sizes, array)
    type(c_ptr), intent(in) :: address
    integer(c_int64_t), intent(in) :: sizes(3)
    real(c_double), pointer, intent(out), optional :: array(:, :, :)
    if (.not. present(array)) return
    nullify (array)
    if (c_associated(address)) call c_f_pointer(address, array, sizes)
  end subroutine
end module
