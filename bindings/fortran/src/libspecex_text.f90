! SPDX-License-Identifier: BSD-3-Clause
!
! C strings and Fortran's, and how a status reaches the caller.
module libspecex_text
  use, intrinsic :: iso_c_binding, only: c_char, c_f_pointer, c_int32_t, c_loc, &
                                         c_null_char, c_ptr, c_size_t
  use libspecex_c
  implicit none
  private
  public :: specex_status_name, specex_status_text, specex_stage_name, specex_version
  public :: text_of, c_text, point_to_texts, number_text, conclude, refuse

  interface
    function strlen(text) bind(c) result(length)
      import
      type(c_ptr), value :: text
      integer(c_size_t) :: length
    end function
  end interface

contains

  function specex_status_name(status) result(name)
    integer(c_int32_t), intent(in) :: status
    character(:), allocatable :: name
    name = text_of(c_specex_status_name(status))
  end function

  function specex_status_text(status) result(text)
    integer(c_int32_t), intent(in) :: status
    character(:), allocatable :: text
    text = text_of(c_specex_status_text(status))
  end function

  function specex_stage_name(stage) result(name)
    integer(c_int32_t), intent(in) :: stage
    character(:), allocatable :: name
    name = text_of(c_specex_stage_name(stage))
  end function

  function specex_version() result(version)
    character(:), allocatable :: version
    version = text_of(c_specex_version())
  end function

  function text_of(address) result(text)
    type(c_ptr), intent(in) :: address
    character(:), allocatable :: text
    character(kind=c_char), pointer :: letters(:)
    integer :: i
    call c_f_pointer(address, letters, [strlen(address)])
    allocate (character(size(letters)) :: text)
    do i = 1, size(letters)
      text(i:i) = letters(i)
    end do
  end function

  ! Trailing blanks are padding, as in Fortran's own file= and in comparisons.
  function c_text(text)
    character(*), intent(in) :: text
    character(:), allocatable :: c_text
    c_text = trim(text)//c_null_char
  end function

  ! An array of C strings, which lives as long as letters and pointers do.
  subroutine point_to_texts(texts, letters, pointers)
    character(*), intent(in) :: texts(:)
    character(kind=c_char), allocatable, target, intent(out) :: letters(:, :)
    type(c_ptr), allocatable, intent(out) :: pointers(:)
    integer :: i, k
    allocate (letters(len(texts) + 1, size(texts)), pointers(size(texts)))
    letters = c_null_char
    do i = 1, size(texts)
      do k = 1, len_trim(texts(i))
        letters(k, i) = texts(i) (k:k)
      end do
      pointers(i) = c_loc(letters(1, i))
    end do
  end subroutine

  function number_text(number) result(text)
    integer, intent(in) :: number
    character(:), allocatable :: text
    character(12) :: digits
    write (digits, '(i0)') number
    text = trim(digits)
  end function

  ! Every call ends here. The sentence is that of the context or, where it is NULL, that
  ! of the thread's last failure without one. What is partly done is not an error.
  subroutine conclude(status, context, stat, errmsg)
    integer(c_int32_t), intent(in) :: status
    type(c_ptr), intent(in) :: context
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    if (present(stat)) stat = status
    if (status == SPECEX_OK) return
    if (present(errmsg)) errmsg = text_of(c_specex_last_error(context))
    if (status == SPECEX_PARTIAL .or. present(stat)) return
    error stop specex_status_name(status)//': '//text_of(c_specex_last_error(context))
  end subroutine

  ! What the library cannot see, because Fortran's shapes do not reach it.
  subroutine refuse(sentence, stat, errmsg)
    character(*), intent(in) :: sentence
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    if (present(errmsg)) errmsg = sentence
    if (.not. present(stat)) error stop 'SPECEX_ERROR_ARGUMENT: '//sentence
    stat = SPECEX_ERROR_ARGUMENT
  end subroutine
end module
