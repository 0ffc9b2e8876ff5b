! SPDX-License-Identifier: BSD-3-Clause
!
! The context: a handle that frees itself, and what is done with it.
!
! Fibres count FROM 0, as in C and in DESI's files. Every procedure has stat= and errmsg=
! as ALLOCATE has them: without stat=, an error stops the program with its sentence.
module libspecex_context
  use, intrinsic :: iso_c_binding, only: c_associated, c_char, c_double, c_f_pointer, &
                                         c_funloc, c_int32_t, c_int64_t, c_loc, &
                                         c_null_char, c_null_funptr, c_null_ptr, c_ptr, &
                                         c_sizeof
  use libspecex_c
  use libspecex_text
  implicit none
  private
  public :: specex_context, specex_log_callback, specex_progress_callback
  public :: specex_options_init, specex_grid_from_range
  public :: names_differ, with_names  ! for writing PSFs

  abstract interface
    ! Called from the thread that called the library.
    subroutine specex_log_callback(level, message)
      import
      integer(c_int32_t), intent(in) :: level
      character(*), intent(in) :: message
    end subroutine

    ! Called from the same thread. Counts patches; .true. stops.
    function specex_progress_callback(done, total) result(stop_now)
      import
      integer(c_int64_t), intent(in) :: done, total
      logical :: stop_now
    end function
  end interface

  ! What C hands back as its user pointer: it stays where it is while the handle moves.
  type :: callbacks
    procedure(specex_log_callback), pointer, nopass :: log => null()
    procedure(specex_progress_callback), pointer, nopass :: progress => null()
  end type

  type :: specex_context
    private
    type(c_ptr) :: context = c_null_ptr
    type(callbacks), pointer :: callbacks => null()
  contains
    procedure :: create
    procedure :: destroy
    procedure :: c_handle  ! for the functions of libspecex_c; borrowed
    procedure :: last_error
    procedure :: describe
    procedure :: set_log
    procedure :: set_progress
    procedure :: set_psf
    procedure :: get_psf_info
    procedure :: trace
    procedure :: plan
    procedure :: extract_patches
    procedure :: assemble
    procedure :: extract_frame
    procedure :: stage_seconds
    procedure :: project
    procedure, private :: refuse_copy
    generic :: assignment(=) => refuse_copy
    final :: finalise
  end type

contains

  subroutine specex_options_init(options, stat, errmsg)
    type(specex_options), intent(out) :: options
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    call conclude(c_specex_options_init(options, c_sizeof(options)), c_null_ptr, stat, &
                  errmsg)
  end subroutine

  subroutine specex_grid_from_range(wavemin, wavemax, wavestep, grid, stat, errmsg)
    real(c_double), intent(in) :: wavemin, wavemax, wavestep
    type(specex_grid), intent(out) :: grid
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    call conclude(c_specex_grid_from_range(wavemin, wavemax, wavestep, grid), &
                  c_null_ptr, stat, errmsg)
  end subroutine

  ! In place of an earlier context of the same variable. Without options: the defaults.
  subroutine create(self, options, stat, errmsg)
    class(specex_context), intent(inout) :: self
    type(specex_options), intent(in), optional :: options
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = release(self)
    if (status == SPECEX_OK) then
      status = c_specex_create(options, self%context)
      if (status == SPECEX_OK) allocate (self%callbacks)
    end if
    call conclude(status, c_null_ptr, stat, errmsg)
  end subroutine

  subroutine destroy(self, stat, errmsg)
    class(specex_context), intent(inout) :: self
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    call conclude(release(self), c_null_ptr, stat, errmsg)
  end subroutine

  impure elemental subroutine finalise(self)
    type(specex_context), intent(inout) :: self
    if (release(self) /= SPECEX_OK) continue  ! nobody is there to be told
  end subroutine

  function release(self) result(status)
    class(specex_context), intent(inout) :: self
    integer(c_int32_t) :: status
    status = c_specex_destroy(self%context)
    if (status == SPECEX_ERROR_BUSY) return  ! else there is nothing left to free
    self%context = c_null_ptr
    if (associated(self%callbacks)) deallocate (self%callbacks)
  end function

  ! Two variables would free one context.
  subroutine refuse_copy(to, from)
    class(specex_context), intent(inout) :: to
    class(specex_context), intent(in) :: from
    if (c_associated(from%context)) error stop 'a specex_context cannot be copied'
    call to%destroy()
  end subroutine

  function c_handle(self) result(context)
    class(specex_context), intent(in) :: self
    type(c_ptr) :: context
    context = self%context
  end function

  ! '' where nothing failed.
  function last_error(self) result(sentence)
    class(specex_context), intent(in) :: self
    character(:), allocatable :: sentence
    sentence = text_of(c_specex_last_error(self%context))
  end function

  subroutine describe(self, text, stat, errmsg)
    class(specex_context), intent(in) :: self
    character(:), allocatable, intent(out) :: text
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    character(kind=c_char), target :: buffer(1024)
    buffer(1) = c_null_char
    call conclude(c_specex_describe(self%context, buffer, size(buffer, kind=c_int64_t)), &
                  self%context, stat, errmsg)
    text = text_of(c_loc(buffer))
  end subroutine

  ! ------------------------------------------------------------------ callbacks

  ! Without log: none any more.
  subroutine set_log(self, log, stat, errmsg)
    class(specex_context), intent(in) :: self
    procedure(specex_log_callback), optional :: log
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    if (present(log) .and. associated(self%callbacks)) then
      self%callbacks%log => log
      status = c_specex_set_log(self%context, c_funloc(relay_log), c_loc(self%callbacks))
    else
      status = c_specex_set_log(self%context, c_null_funptr, c_null_ptr)
    end if
    call conclude(status, self%context, stat, errmsg)
  end subroutine

  ! Without progress: none any more.
  subroutine set_progress(self, progress, stat, errmsg)
    class(specex_context), intent(in) :: self
    procedure(specex_progress_callback), optional :: progress
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    if (present(progress) .and. associated(self%callbacks)) then
      self%callbacks%progress => progress
      status = c_specex_set_progress(self%context, c_funloc(relay_progress), &
                                     c_loc(self%callbacks))
    else
      status = c_specex_set_progress(self%context, c_null_funptr, c_null_ptr)
    end if
    call conclude(status, self%context, stat, errmsg)
  end subroutine

  subroutine relay_log(level, message, user) bind(c, name='')
    integer(c_int32_t), value :: level
    type(c_ptr), value :: message, user
    type(callbacks), pointer :: own
    call c_f_pointer(user, own)
    call own%log(level, text_of(message))
  end subroutine

  function relay_progress(done, total, user) bind(c, name='') result(stop_now)
    integer(c_int64_t), value :: done, total
    type(c_ptr), value :: user
    integer(c_int32_t) :: stop_now
    type(callbacks), pointer :: own
    call c_f_pointer(user, own)
    stop_now = merge(1, 0, own%progress(done, total))
  end function

  ! ------------------------------------------------------------------ PSF

  ! names, one for each of psf%nparam, stand in for psf%param_names.
  subroutine set_psf(self, psf, names, stat, errmsg)
    class(specex_context), intent(in) :: self
    type(specex_psf), intent(in) :: psf
    character(*), intent(in), optional :: names(:)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    type(specex_psf) :: named
    character(kind=c_char), allocatable, target :: letters(:, :)
    type(c_ptr), allocatable, target :: pointers(:)
    if (names_differ(psf, names, stat, errmsg)) return
    named = with_names(psf, names, letters, pointers)
    call conclude(c_specex_set_psf(self%context, named), self%context, stat, errmsg)
  end subroutine

  function names_differ(psf, names, stat, errmsg)
    type(specex_psf), intent(in) :: psf
    character(*), intent(in), optional :: names(:)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    logical :: names_differ
    names_differ = .false.
    if (.not. present(names)) return
    names_differ = size(names) /= psf%nparam
    if (names_differ) call refuse('the PSF has '//number_text(psf%nparam)// &
                                  ' parameters, but '//number_text(size(names))// &
                                  ' names', stat, errmsg)
  end function

  ! The PSF with these names, which live as long as letters and pointers do.
  function with_names(psf, names, letters, pointers) result(named)
    type(specex_psf), intent(in) :: psf
    character(*), intent(in), optional :: names(:)
    character(kind=c_char), allocatable, target, intent(inout) :: letters(:, :)
    type(c_ptr), allocatable, target, intent(inout) :: pointers(:)
    type(specex_psf) :: named
    named = psf
    if (.not. present(names)) return
    call point_to_texts(names, letters, pointers)
    named%param_names = c_loc(pointers)
  end function

  subroutine get_psf_info(self, info, stat, errmsg)
    class(specex_context), intent(in) :: self
    type(specex_psf_info), intent(out) :: info
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    call conclude(c_specex_get_psf_info(self%context, info), self%context, stat, errmsg)
  end subroutine

  ! Pixel centres are integers from 0, as in C: x, y = 0 is array element (1, 1).
  subroutine trace(self, fiber, wave, x, y, stat, errmsg)
    class(specex_context), intent(in) :: self
    integer(c_int32_t), intent(in) :: fiber
    real(c_double), intent(in), contiguous :: wave(:)
    real(c_double), intent(inout), contiguous :: x(:), y(:)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    if (size(x) /= size(wave) .or. size(y) /= size(wave)) then
      call refuse('x and y must have the size of wave, '//number_text(size(wave)), stat, &
                  errmsg)
      return
    end if
    call conclude(c_specex_trace(self%context, fiber, wave, &
                                 size(wave, kind=c_int64_t), x, y), &
                  self%context, stat, errmsg)
  end subroutine

  ! ------------------------------------------------------------------ extraction

  subroutine plan(self, grid, first_fiber, nspec, patches, stat, errmsg)
    class(specex_context), intent(in) :: self
    type(specex_grid), intent(in) :: grid
    integer(c_int32_t), intent(in) :: first_fiber, nspec
    type(specex_patch), allocatable, intent(out) :: patches(:)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    integer(c_int64_t) :: count
    integer(c_int32_t) :: status
    status = c_specex_plan(self%context, grid, first_fiber, nspec, &
                           capacity=0_c_int64_t, count=count)
    if (status /= SPECEX_OK) count = 0
    allocate (patches(count))
    if (status == SPECEX_OK) &
      status = c_specex_plan(self%context, grid, first_fiber, nspec, patches, &
                             size(patches, kind=c_int64_t), count)
    call conclude(status, self%context, stat, errmsg)
  end subroutine

  subroutine extract_patches(self, image, patches, results, stat, errmsg)
    class(specex_context), intent(in) :: self
    type(specex_image), intent(in) :: image
    type(specex_patch), intent(in), contiguous :: patches(:)
    type(specex_result), intent(inout), contiguous :: results(:)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    if (differ(patches, results, stat, errmsg)) return
    call conclude(c_specex_extract_patches(self%context, image, patches, &
                                           size(patches, kind=c_int64_t), results), &
                  self%context, stat, errmsg)
  end subroutine

  subroutine assemble(self, patches, results, frame, stat, errmsg)
    class(specex_context), intent(in) :: self
    type(specex_patch), intent(in), contiguous :: patches(:)
    type(specex_result), intent(in), contiguous :: results(:)
    type(specex_frame), intent(inout) :: frame
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    if (differ(patches, results, stat, errmsg)) return
    call conclude(c_specex_assemble(self%context, patches, results, &
                                    size(patches, kind=c_int64_t), frame), &
                  self%context, stat, errmsg)
  end subroutine

  function differ(patches, results, stat, errmsg)
    type(specex_patch), intent(in) :: patches(:)
    type(specex_result), intent(in) :: results(:)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    logical :: differ
    differ = size(patches) /= size(results)
    if (differ) call refuse('there are '//number_text(size(patches))//' patches, but '// &
                            number_text(size(results))//' results', stat, errmsg)
  end function

  ! The frame's fibres: frame%nspec of them, from frame%first_fiber, which counts from 0.
  subroutine extract_frame(self, image, grid, frame, stat, errmsg)
    class(specex_context), intent(in) :: self
    type(specex_image), intent(in) :: image
    type(specex_grid), intent(in) :: grid
    type(specex_frame), intent(inout) :: frame
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    call conclude(c_specex_extract_frame(self%context, image, grid, frame%first_fiber, &
                                         frame%nspec, frame), self%context, stat, errmsg)
  end subroutine

  ! seconds(SPECEX_STAGE_FRAME:) is how its bounds are best declared: from 0.
  subroutine stage_seconds(self, seconds, stat, errmsg)
    class(specex_context), intent(in) :: self
    real(c_double), intent(inout), contiguous :: seconds(:)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    call conclude(c_specex_stage_seconds(self%context, seconds, &
                                         size(seconds, kind=c_int64_t)), &
                  self%context, stat, errmsg)
  end subroutine

  ! spectra are [nwave, nspec], the image [nx, ny].
  subroutine project(self, grid, first_fiber, spectra, image, stat, errmsg)
    class(specex_context), intent(in) :: self
    type(specex_grid), intent(in) :: grid
    integer(c_int32_t), intent(in) :: first_fiber
    real(c_double), intent(in), contiguous :: spectra(:, :)
    real(c_double), intent(inout), contiguous :: image(:, :)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    if (size(spectra, 1) /= grid%nwave) then
      call refuse('spectra must be [nwave of the grid, nspec]', stat, errmsg)
      return
    end if
    call conclude(c_specex_project(self%context, grid, first_fiber, size(spectra, 2), &
                                   spectra, size(image, 1, kind=c_int64_t), &
                                   size(image, 2, kind=c_int64_t), image), &
                  self%context, stat, errmsg)
  end subroutine
end module
