! SPDX-License-Identifier: BSD-3-Clause
!
! What the tests assert with: every failure is printed, and the program then fails.
module checks
  use, intrinsic :: iso_fortran_env, only: error_unit
  use libspecex, only: SPECEX_OK, specex_status_name
  implicit none
  private
  public :: check, check_error, check_ok, finish

  integer :: failures = 0

contains

  subroutine check(holds, what)
    logical, intent(in) :: holds
    character(*), intent(in) :: what
    if (holds) return
    failures = failures + 1
    write (error_unit, '(2a)') 'FAILED: ', what
  end subroutine

  subroutine check_ok(stat, what)
    integer, intent(in) :: stat
    character(*), intent(in) :: what
    call check(stat == SPECEX_OK, what//' gives '//specex_status_name(stat))
  end subroutine

  ! The status is the one expected, and the sentence says what it has to.
  subroutine check_error(stat, errmsg, expected, part)
    integer, intent(in) :: stat, expected
    character(*), intent(in) :: errmsg, part
    call check(stat == expected, specex_status_name(expected)//' is expected, not '// &
               specex_status_name(stat)//': '//trim(errmsg))
    call check(index(errmsg, part) > 0, &
               '"'//part//'" is expected in "'//trim(errmsg)//'"')
  end subroutine

  subroutine finish()
    if (failures > 0) error stop 1
  end subroutine
end module
