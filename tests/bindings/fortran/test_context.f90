! SPDX-License-Identifier: BSD-3-Clause
!
! Contexts, what they say, and what happens to handles that are not there.
program test_context
  use, intrinsic :: iso_c_binding, only: c_associated, c_int64_t
  use libspecex
  use libspecex_c, only: c_specex_destroy, c_specex_options_init
  use checks
  implicit none

  call statuses_have_names_and_texts()
  call options_have_the_defaults()
  call context_lives_from_create_to_destroy()
  call context_of_bad_options_is_refused()
  call context_that_was_not_created_is_refused()
  call context_is_empty_after_assignment_of_an_empty_one()
  call finish()

contains

  subroutine statuses_have_names_and_texts()
    call check(specex_status_name(SPECEX_ERROR_IO) == 'SPECEX_ERROR_IO', &
               'name of a status')
    call check(specex_status_name(-5) == 'SPECEX_UNKNOWN', 'name of an unknown status')
    call check(len(specex_status_text(SPECEX_OK)) > 0, 'text of a status')
    call check(specex_status_text(-5) /= specex_status_text(SPECEX_OK), 'unknown text')
    call check(specex_stage_name(SPECEX_STAGE_SPOTS) == 'spots', 'name of a stage')
    call check(specex_stage_name(-1) == 'unknown', 'name of an unknown stage')
    call check(scan(specex_version(), '.') > 1, 'version')
  end subroutine

  subroutine options_have_the_defaults()
    type(specex_options) :: options
    integer :: stat
    call specex_options_init(options, stat)
    call check_ok(stat, 'specex_options_init')
    call check(options%bundlesize == 25 .and. options%wavepad == 10, 'default options')
    call check(options%device == 0 .and. options%num_devices == 1, 'default devices')
    stat = c_specex_options_init(options, 8_c_int64_t)
    call check(stat == SPECEX_ERROR_VERSION, 'options of a wrong size')
  end subroutine

  subroutine context_lives_from_create_to_destroy()
    type(specex_context) :: context
    character(:), allocatable :: text
    integer :: stat
    call context%create(stat=stat)
    call check_ok(stat, 'create')
    call check(c_associated(context%c_handle()), 'a handle is there')
    call check(context%last_error() == '', 'nothing failed')
    call context%describe(text, stat)
    call check_ok(stat, 'describe')
    call check(index(text, 'thread') > 0, 'description: '//text)
    call context%create(stat=stat)
    call check_ok(stat, 'create in place of an earlier context')
    call context%destroy(stat)
    call check_ok(stat, 'destroy')
    call check(.not. c_associated(context%c_handle()), 'no handle is left')
    call context%destroy(stat)
    call check_ok(stat, 'destroy twice')
  end subroutine

  subroutine context_of_bad_options_is_refused()
    type(specex_context) :: context
    type(specex_options) :: options
    character(200) :: message
    integer :: stat
    call specex_options_init(options)
    options%bundlesize = -1
    call context%create(options, stat, message)
    call check_error(stat, message, SPECEX_ERROR_ARGUMENT, 'bundlesize')
    options%struct_size = 1
    call context%create(options, stat, message)
    call check_error(stat, message, SPECEX_ERROR_VERSION, 'options')
    call check(.not. c_associated(context%c_handle()), 'no context came of it')
  end subroutine

  subroutine context_that_was_not_created_is_refused()
    type(specex_context) :: context, other
    type(specex_psf_info) :: info
    character(:), allocatable :: text
    character(200) :: message
    integer :: stat
    call context%describe(text, stat, message)
    call check_error(stat, message, SPECEX_ERROR_ARGUMENT, 'context')
    call check(text == '', 'no description')
    call context%get_psf_info(info, stat, message)
    call check_error(stat, message, SPECEX_ERROR_ARGUMENT, 'context')
    call context%set_log(stat=stat, errmsg=message)
    call check_error(stat, message, SPECEX_ERROR_ARGUMENT, 'context')
    call context%set_progress(stat=stat, errmsg=message)
    call check_error(stat, message, SPECEX_ERROR_ARGUMENT, 'context')
    call other%create()
    stat = c_specex_destroy(other%c_handle())
    call other%destroy(stat, message)
    call check_error(stat, message, SPECEX_ERROR_HANDLE, 'context')
    call check(.not. c_associated(other%c_handle()), 'a dead handle is forgotten')
  end subroutine

  subroutine context_is_empty_after_assignment_of_an_empty_one()
    type(specex_context) :: context, empty
    call context%create()
    context = empty
    call check(.not. c_associated(context%c_handle()), 'context is empty')
  end subroutine
end program
