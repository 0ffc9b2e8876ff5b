! SPDX-License-Identifier: BSD-3-Clause
!
! A thousand contexts, ended by the finaliser and by destroy in turn, with what they read
! from arrays and hear of progress, leave no memory behind.
module counting
  use, intrinsic :: iso_c_binding, only: c_int64_t
  implicit none
  integer :: calls = 0

contains

  function count_calls(done, total) result(stop_now)
    integer(c_int64_t), intent(in) :: done, total
    logical :: stop_now
    calls = calls + 1
    stop_now = done > total
  end function
end module

program test_memory
  use, intrinsic :: iso_c_binding, only: c_double
  use libspecex
  use checks
  use counting
  use small_case
  implicit none
  integer, parameter :: loops = 1000, warm_up = 100
  type(specex_context) :: first
  type(specex_grid) :: grid
  type(specex_image) :: image
  integer :: i, before

  call make_context(first, grid)
  call make_image(first, grid, image)
  do i = 1, warm_up
    call extract_once(i)
  end do
  before = resident_kib()
  do i = 1, loops
    call extract_once(i)
  end do
  call check(calls >= loops, 'every extraction was real')
  call check(resident_kib() - before < 2048, 'resident memory does not grow')
  print '(a, i0, a)', 'growth: ', resident_kib() - before, ' KiB'
  call finish()

contains

  subroutine extract_once(turn)
    integer, intent(in) :: turn
    type(specex_context) :: context
    type(specex_frame) :: frame
    type(specex_patch), allocatable :: patches(:)
    character(:), allocatable :: text
    character(80) :: message
    integer :: stat
    real(c_double), target :: flux(nwave, nspec)
    call make_context(context, grid)
    call context%set_progress(count_calls)
    call context%plan(grid, 0, nspec, patches)
    call specex_view(frame, 0, flux)
    call context%extract_frame(image, grid, frame)
    call context%describe(text)
    call context%plan(grid, 9, nspec, patches, stat, message)
    if (modulo(turn, 2) == 0) call context%destroy()
  end subroutine

  function resident_kib() result(kib)
    integer :: kib, unit, ios
    character(80) :: line
    kib = -1
    open (newunit=unit, file='/proc/self/status', action='read')
    do
      read (unit, '(a)', iostat=ios) line
      if (ios /= 0) exit
      if (index(line, 'VmRSS:') == 1) read (line(7:index(line, 'kB') - 1), *) kib
    end do
    close (unit)
    call check(kib > 0, 'resident memory is known')
  end function
end program
