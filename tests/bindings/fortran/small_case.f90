! SPDX-License-Identifier: BSD-3-Clause
!
! A PSF of three fibres, a grid of twenty bins and an image of both without noise.
module small_case
  use, intrinsic :: iso_c_binding, only: c_double, c_int32_t
  use libspecex
  implicit none
  public
  private :: c_double, c_int32_t

  integer, parameter :: nspec = 3, nwave = 20, ncoef = 3
  integer, parameter :: hsize = 4, ndiag = 2*hsize + 1, nx = 36, ny = 80
  real(c_double), parameter :: first_wave = 6000, wavestep = 1
  character(6), parameter :: names(4) = [character(6) :: 'GHSIGX', 'GHSIGY', 'GH-0-0', &
                                         'GH-2-0']
  real(c_double), target :: xtrace(ncoef, nspec), ytrace(ncoef, nspec)
  real(c_double), target :: params(ncoef, nspec, size(names))
  real(c_double), target :: pixels(nx, ny), weights(nx, ny)
  real(c_double) :: truth(nwave, nspec)

contains

  subroutine make_psf(psf)
    type(specex_psf), intent(out) :: psf
    integer :: fiber
    psf%hsizex = hsize
    psf%hsizey = hsize
    psf%ghdegx = 2
    psf%wavemin = first_wave - 25
    psf%wavemax = first_wave + nwave*wavestep + 25
    psf%xtrace_wavemin = psf%wavemin
    psf%xtrace_wavemax = psf%wavemax
    psf%ytrace_wavemin = psf%wavemin
    psf%ytrace_wavemax = psf%wavemax
    do fiber = 0, nspec - 1
      xtrace(:, fiber + 1) = [9 + 8d0*fiber, 0.6d0, 0d0]
      ytrace(:, fiber + 1) = [40 + 0.4d0*fiber, 52d0, 0.3d0]
    end do
    params = 0
    params(1, :, :) = spread([1.15d0, 1.05d0, 1d0, 0.02d0], 1, nspec)
    call specex_view(psf, xtrace, ytrace, params)
  end subroutine

  ! A context with the PSF, whose divisions give several patches.
  subroutine make_context(context, grid)
    type(specex_context), intent(inout) :: context
    type(specex_grid), intent(out) :: grid
    type(specex_options) :: options
    type(specex_psf) :: psf
    call specex_options_init(options)
    options%bundlesize = nspec
    options%nwavestep = 10
    options%num_threads = 2
    call context%create(options)
    call make_psf(psf)
    call context%set_psf(psf, names)
    call specex_grid_from_range(first_wave, first_wave + (nwave - 1)*wavestep, wavestep, &
                                grid)
  end subroutine

  subroutine make_image(context, grid, image)
    type(specex_context), intent(in) :: context
    type(specex_grid), intent(in) :: grid
    type(specex_image), intent(out) :: image
    integer :: fiber, bin
    do concurrent (bin = 1:nwave, fiber = 1:nspec)
      truth(bin, fiber) = 100 + 20*fiber + 50*modulo(bin, 7)
    end do
    call context%project(grid, 0, truth, pixels)
    weights = 0.01_c_double
    call specex_view(image, pixels, weights)
  end subroutine
end module
