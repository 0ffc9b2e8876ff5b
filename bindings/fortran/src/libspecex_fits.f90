! SPDX-License-Identifier: BSD-3-Clause
!
! Files: a handle that frees what was read, and the functions that write. File names are
! literal, but for trailing blanks, which are padding.
module libspecex_fits
  use, intrinsic :: iso_c_binding, only: c_associated, c_char, c_int32_t, c_int64_t, &
                                         c_loc, c_null_char, c_null_ptr, c_ptr
  use libspecex_c
  use libspecex_context
  use libspecex_text
  implicit none
  private
  public :: specex_fits_file, specex_card
  public :: specex_fits_write_frame, specex_fits_write_image, specex_fits_write_psf

  ! What was read from a file. What get_image, get_psf and get_frame lend is valid until
  ! the file is freed, read anew, or its variable's scope ends.
  type :: specex_fits_file
    private
    type(c_ptr) :: file = c_null_ptr
  contains
    procedure :: read_image
    procedure :: read_psf
    procedure :: read_frame
    procedure :: read_fibermap
    procedure :: free
    procedure :: c_handle  ! for the functions of libspecex_c; borrowed
    procedure :: get_image
    procedure :: get_psf
    procedure :: get_frame
    procedure :: get_key
    procedure, private :: refuse_copy
    generic :: assignment(=) => refuse_copy
    final :: finalise
  end type

  ! A header key to write: specex_card('EXPTIME', '900.0', type=SPECEX_CARD_REAL).
  type :: specex_card
    character(:), allocatable :: name
    character(:), allocatable :: value
    character(:), allocatable :: comment
    integer(c_int32_t) :: type = SPECEX_CARD_TEXT
  end type

  ! A specex_fits_output and the memory that it points to.
  type :: output_parts
    type(specex_fits_output) :: output
    type(specex_fits_card), allocatable :: cards(:)
    character(kind=c_char), allocatable :: letters(:, :)
  end type

contains

  ! ------------------------------------------------------------------ reading

  ! Pixels whose mask has any bit of badmask get ivar 0.
  subroutine read_image(self, context, path, badmask, stat, errmsg)
    class(specex_fits_file), intent(inout) :: self
    type(specex_context), intent(in) :: context
    character(*), intent(in) :: path
    integer(c_int64_t), intent(in), optional :: badmask
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    integer(c_int64_t) :: bits
    bits = SPECEX_BADMASK_DEFAULT
    if (present(badmask)) bits = badmask
    call self%free()
    call conclude(c_specex_fits_read_image(context%c_handle(), c_text(path), bits, &
                                           self%file), context%c_handle(), stat, errmsg)
  end subroutine

  subroutine read_psf(self, context, path, stat, errmsg)
    class(specex_fits_file), intent(inout) :: self
    type(specex_context), intent(in) :: context
    character(*), intent(in) :: path
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    call self%free()
    call conclude(c_specex_fits_read_psf(context%c_handle(), c_text(path), self%file), &
                  context%c_handle(), stat, errmsg)
  end subroutine

  subroutine read_frame(self, context, path, stat, errmsg)
    class(specex_fits_file), intent(inout) :: self
    type(specex_context), intent(in) :: context
    character(*), intent(in) :: path
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    call self%free()
    call conclude(c_specex_fits_read_frame(context%c_handle(), c_text(path), self%file), &
                  context%c_handle(), stat, errmsg)
  end subroutine

  subroutine read_fibermap(self, context, path, stat, errmsg)
    class(specex_fits_file), intent(inout) :: self
    type(specex_context), intent(in) :: context
    character(*), intent(in) :: path
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    call self%free()
    call conclude(c_specex_fits_read_fibermap(context%c_handle(), c_text(path), &
                                              self%file), &
                  context%c_handle(), stat, errmsg)
  end subroutine

  subroutine free(self)
    class(specex_fits_file), intent(inout) :: self
    call c_specex_fits_free(self%file)
    self%file = c_null_ptr
  end subroutine

  impure elemental subroutine finalise(self)
    type(specex_fits_file), intent(inout) :: self
    call self%free()
  end subroutine

  ! Two variables would free one file.
  subroutine refuse_copy(to, from)
    class(specex_fits_file), intent(inout) :: to
    class(specex_fits_file), intent(in) :: from
    if (c_associated(from%file)) error stop 'a specex_fits_file cannot be copied'
    call to%free()
  end subroutine

  function c_handle(self) result(file)
    class(specex_fits_file), intent(in) :: self
    type(c_ptr) :: file
    file = self%file
  end function

  ! ------------------------------------------------------------------ what was read

  subroutine get_image(self, image, stat, errmsg)
    class(specex_fits_file), intent(in) :: self
    type(specex_image), intent(out) :: image
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    call conclude(c_specex_fits_get_image(self%file, image), c_null_ptr, stat, errmsg)
  end subroutine

  subroutine get_psf(self, psf, stat, errmsg)
    class(specex_fits_file), intent(in) :: self
    type(specex_psf), intent(out) :: psf
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    call conclude(c_specex_fits_get_psf(self%file, psf), c_null_ptr, stat, errmsg)
  end subroutine

  subroutine get_frame(self, frame, stat, errmsg)
    class(specex_fits_file), intent(in) :: self
    type(specex_frame), intent(out) :: frame
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    call conclude(c_specex_fits_get_frame(self%file, frame), c_null_ptr, stat, errmsg)
  end subroutine

  ! The value as text, without quotes; '' where there is no such key, which is an error.
  subroutine get_key(self, name, value, stat, errmsg)
    class(specex_fits_file), intent(in) :: self
    character(*), intent(in) :: name
    character(:), allocatable, intent(out) :: value
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    character(kind=c_char), target :: buffer(1024)
    buffer(1) = c_null_char
    call conclude(c_specex_fits_get_key(self%file, c_text(name), buffer, &
                                        size(buffer, kind=c_int64_t)), c_null_ptr, stat, &
                  errmsg)
    value = text_of(c_loc(buffer))
  end subroutine

  ! ------------------------------------------------------------------ writing
  !
  ! input: the image file whose header keys and FIBERMAP are passed on; fibermap: another
  ! file's FIBERMAP; float64: double instead of float arrays; scores: a SCORES table.

  subroutine specex_fits_write_frame(context, path, frame, input, cards, float64, &
                                     scores, fibermap, stat, errmsg)
    type(specex_context), intent(in) :: context
    character(*), intent(in) :: path
    type(specex_frame), intent(in) :: frame
    type(specex_fits_file), intent(in), optional :: input, fibermap
    type(specex_card), intent(in), optional :: cards(:)
    logical, intent(in), optional :: float64, scores
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    type(output_parts), target :: parts
    call prepare(parts, input, cards, float64, scores, fibermap)
    call conclude(c_specex_fits_write_frame(context%c_handle(), c_text(path), frame, &
                                            parts%output), &
                  context%c_handle(), stat, errmsg)
  end subroutine

  ! mask is [nx, ny].
  subroutine specex_fits_write_image(context, path, image, mask, input, cards, float64, &
                                     fibermap, stat, errmsg)
    type(specex_context), intent(in) :: context
    character(*), intent(in) :: path
    type(specex_image), intent(in) :: image
    integer(c_int32_t), intent(in), optional, contiguous, target :: mask(:, :)
    type(specex_fits_file), intent(in), optional :: input, fibermap
    type(specex_card), intent(in), optional :: cards(:)
    logical, intent(in), optional :: float64
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    type(output_parts), target :: parts
    type(c_ptr) :: bits
    bits = c_null_ptr
    if (present(mask)) then
      if (any(shape(mask) /= [image%nx, image%ny])) then
        call refuse('mask must have the shape of the image', stat, errmsg)
        return
      end if
      bits = c_loc(mask)
    end if
    call prepare(parts, input, cards, float64, fibermap=fibermap)
    call conclude(c_specex_fits_write_image(context%c_handle(), c_text(path), image, &
                                            bits, parts%output), &
                  context%c_handle(), stat, errmsg)
  end subroutine

  ! names, one for each of psf%nparam, stand in for psf%param_names.
  subroutine specex_fits_write_psf(context, path, psf, names, input, cards, stat, errmsg)
    type(specex_context), intent(in) :: context
    character(*), intent(in) :: path
    type(specex_psf), intent(in) :: psf
    character(*), intent(in), optional :: names(:)
    type(specex_fits_file), intent(in), optional :: input
    type(specex_card), intent(in), optional :: cards(:)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    type(output_parts), target :: parts
    type(specex_psf) :: named
    character(kind=c_char), allocatable, target :: letters(:, :)
    type(c_ptr), allocatable, target :: pointers(:)
    if (names_differ(psf, names, stat, errmsg)) return
    named = with_names(psf, names, letters, pointers)
    call prepare(parts, input, cards)
    call conclude(c_specex_fits_write_psf(context%c_handle(), c_text(path), named, &
                                          parts%output), &
                  context%c_handle(), stat, errmsg)
  end subroutine

  subroutine prepare(parts, input, cards, float64, scores, fibermap)
    type(output_parts), target, intent(inout) :: parts
    type(specex_fits_file), intent(in), optional :: input, fibermap
    type(specex_card), intent(in), optional :: cards(:)
    logical, intent(in), optional :: float64, scores
    if (present(input)) parts%output%input = input%file
    if (present(fibermap)) parts%output%fibermap = fibermap%file
    if (present(float64)) parts%output%float64 = merge(1, 0, float64)
    if (present(scores)) parts%output%scores = merge(1, 0, scores)
    if (present(cards)) call use_cards(parts, cards)
  end subroutine

  subroutine use_cards(parts, cards)
    type(output_parts), target, intent(inout) :: parts
    type(specex_card), intent(in) :: cards(:)
    type(c_ptr), allocatable :: pointers(:)
    integer :: i, longest
    longest = 0
    do i = 1, size(cards)
      longest = max(longest, len(text(cards(i)%name)), len(text(cards(i)%value)), &
                    len(text(cards(i)%comment)))
    end do
    block
      character(longest) :: texts(3*size(cards))
      do i = 1, size(cards)
        texts(3*i - 2) = text(cards(i)%name)
        texts(3*i - 1) = text(cards(i)%value)
        texts(3*i) = text(cards(i)%comment)
      end do
      call point_to_texts(texts, parts%letters, pointers)
    end block
    allocate (parts%cards(size(cards)))
    do i = 1, size(cards)
      parts%cards(i)%name = pointers(3*i - 2)
      parts%cards(i)%value = pointers(3*i - 1)
      if (allocated(cards(i)%comment)) parts%cards(i)%comment = pointers(3*i)
      parts%cards(i)%type = cards(i)%type
    end do
    parts%output%cards = c_loc(parts%cards)
    parts%output%ncard = size(cards)
  end subroutine

  function text(optional_text)
    character(:), allocatable, intent(in) :: optional_text
    character(:), allocatable :: text
    text = ''
    if (allocated(optional_text)) text = optional_text
  end function
end module
