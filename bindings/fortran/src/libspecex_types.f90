! SPDX-License-Identifier: BSD-3-Clause
!
! Numbers and structs of specex.h and fits.h, which say what every one means. A struct
! comes with its size and with everything else zero or NULL, ready to be filled in.
module libspecex_types
  use, intrinsic :: iso_c_binding, only: c_double, c_int32_t, c_int64_t, c_null_ptr, c_ptr
  implicit none
  private :: c_double, c_int32_t, c_int64_t, c_null_ptr, c_ptr

  ! Statuses, as stat= gets them.
  integer(c_int32_t), parameter :: &
    SPECEX_OK = 0, &
    SPECEX_PARTIAL = 1, &
    SPECEX_ERROR_ARGUMENT = 10, &
    SPECEX_ERROR_VERSION = 11, &
    SPECEX_ERROR_STATE = 12, &
    SPECEX_ERROR_BUSY = 13, &
    SPECEX_ERROR_HANDLE = 14, &
    SPECEX_ERROR_FORKED = 15, &
    SPECEX_ERROR_UNSUPPORTED = 16, &
    SPECEX_ERROR_DATA = 20, &
    SPECEX_ERROR_PSF = 21, &
    SPECEX_ERROR_RANGE = 22, &
    SPECEX_ERROR_NUMERIC = 30, &
    SPECEX_ERROR_MEMORY = 40, &
    SPECEX_ERROR_NO_DEVICE = 50, &
    SPECEX_ERROR_DEVICE = 51, &
    SPECEX_ERROR_IO = 60, &
    SPECEX_ERROR_FORMAT = 61, &
    SPECEX_ERROR_LIMIT = 62, &
    SPECEX_ERROR_CHECKSUM = 63, &
    SPECEX_CANCELLED = 70, &
    SPECEX_ERROR_INTERNAL = 90

  integer(c_int32_t), parameter :: &
    SPECEX_BACKEND_AUTO = 0, &
    SPECEX_BACKEND_CPU = 1, &
    SPECEX_BACKEND_CUDA = 2, &
    SPECEX_BACKEND_REFERENCE = 3, &
    SPECEX_COMPAT_NONE = 0, &
    SPECEX_COMPAT_GPU_SPECTER = 1, &
    SPECEX_DECORRELATE_SIGNAL = 0, &
    SPECEX_DECORRELATE_NOISE = 1

  integer(c_int32_t), parameter :: &
    SPECEX_LOG_DEBUG = 10, &
    SPECEX_LOG_INFO = 20, &
    SPECEX_LOG_WARNING = 30, &
    SPECEX_LOG_ERROR = 40

  integer(c_int32_t), parameter :: &
    SPECEX_PSF_GAUSS_HERMITE = 1, &
    SPECEX_FLOAT32 = 1, &
    SPECEX_FLOAT64 = 2, &
    SPECEX_MEMORY_HOST = 0, &
    SPECEX_MEMORY_DEVICE = 1

  integer(c_int32_t), parameter :: &
    SPECEX_MASK_SOMEBADPIX = 1, &
    SPECEX_MASK_ALLBADPIX = 2, &
    SPECEX_MASK_BAD2DFIT = 128, &
    SPECEX_MASK_NODATA = 256, &
    SPECEX_MASK_BADFIBER = 512

  integer(c_int32_t), parameter :: &
    SPECEX_PATH_NONE = 0, &
    SPECEX_PATH_DENSE = 1, &
    SPECEX_PATH_BANDED = 2, &
    SPECEX_PATH_VECTOR = 3, &
    SPECEX_PATH_COUNT = 8

  integer(c_int32_t), parameter :: &
    SPECEX_STAGE_FRAME = 0, &
    SPECEX_STAGE_PIXELS = 1, &
    SPECEX_STAGE_SPOTS = 2, &
    SPECEX_STAGE_BLOCKS = 3, &
    SPECEX_STAGE_GATHER = 4, &
    SPECEX_STAGE_ELIMINATION = 5, &
    SPECEX_STAGE_FLUX = 6, &
    SPECEX_STAGE_ROOT = 7, &
    SPECEX_STAGE_MODEL = 8, &
    SPECEX_STAGE_FINISH = 9, &
    SPECEX_STAGE_FALLBACK = 10, &
    SPECEX_NSTAGE = 11

  integer(c_int64_t), parameter :: SPECEX_BADMASK_DEFAULT = 767

  integer(c_int32_t), parameter :: &
    SPECEX_CARD_TEXT = 1, &
    SPECEX_CARD_INTEGER = 2, &
    SPECEX_CARD_REAL = 3, &
    SPECEX_CARD_LOGICAL = 4

  type, bind(c) :: specex_options
    integer(c_int64_t) :: struct_size = 144
    integer(c_int32_t) :: backend = 0
    integer(c_int32_t) :: num_threads = 0
    integer(c_int32_t) :: compat = 0
    integer(c_int32_t) :: decorrelate = 0
    integer(c_int32_t) :: bundlesize = 0
    integer(c_int32_t) :: nsubbundles = 0
    integer(c_int32_t) :: nwavestep = 0
    integer(c_int32_t) :: wavepad = 0
    real(c_double) :: wavepad_frac = 0
    real(c_double) :: pixpad_frac = 0
    real(c_double) :: regularize = 0
    real(c_double) :: psferr = 0
    integer(c_int32_t) :: strict = 0
    integer(c_int32_t) :: device = 0
    integer(c_int32_t) :: num_devices = 0
    integer(c_int32_t) :: reserved0 = 0
    integer(c_int64_t) :: device_memory = 0
    integer(c_int64_t) :: spot_memory = 0
    integer(c_int64_t) :: reserved(5) = 0
  end type

  type, bind(c) :: specex_psf
    integer(c_int64_t) :: struct_size = 200
    integer(c_int32_t) :: kind = SPECEX_PSF_GAUSS_HERMITE
    integer(c_int32_t) :: nspec = 0
    integer(c_int64_t) :: nx = 0
    integer(c_int64_t) :: ny = 0
    integer(c_int32_t) :: hsizex = 0
    integer(c_int32_t) :: hsizey = 0
    integer(c_int32_t) :: ghdegx = 0
    integer(c_int32_t) :: ghdegy = 0
    real(c_double) :: xtrace_wavemin = 0
    real(c_double) :: xtrace_wavemax = 0
    real(c_double) :: ytrace_wavemin = 0
    real(c_double) :: ytrace_wavemax = 0
    real(c_double) :: wavemin = 0
    real(c_double) :: wavemax = 0
    integer(c_int32_t) :: xtrace_ncoef = 0
    integer(c_int32_t) :: ytrace_ncoef = 0
    integer(c_int32_t) :: nparam = 0
    integer(c_int32_t) :: ncoef = 0
    type(c_ptr) :: xtrace = c_null_ptr       ! (xtrace_ncoef, nspec)
    type(c_ptr) :: ytrace = c_null_ptr       ! (ytrace_ncoef, nspec)
    type(c_ptr) :: param_names = c_null_ptr  ! (nparam), of C strings
    type(c_ptr) :: params = c_null_ptr       ! (ncoef, nspec, nparam)
    real(c_double) :: psferr = 0
    integer(c_int64_t) :: reserved(6) = 0
  end type

  type, bind(c) :: specex_psf_info
    integer(c_int64_t) :: struct_size = 96
    integer(c_int32_t) :: nspec = 0
    integer(c_int32_t) :: ndiag = 0
    integer(c_int32_t) :: spot_nx = 0
    integer(c_int32_t) :: spot_ny = 0
    real(c_double) :: wavemin = 0
    real(c_double) :: wavemax = 0
    real(c_double) :: psferr = 0
    integer(c_int64_t) :: nx = 0
    integer(c_int64_t) :: ny = 0
    integer(c_int64_t) :: reserved(4) = 0
  end type

  type, bind(c) :: specex_image
    integer(c_int64_t) :: struct_size = 96
    integer(c_int32_t) :: type = SPECEX_FLOAT64
    integer(c_int32_t) :: memory = SPECEX_MEMORY_HOST
    integer(c_int64_t) :: nx = 0
    integer(c_int64_t) :: ny = 0
    type(c_ptr) :: pixels = c_null_ptr  ! (nx, ny)
    type(c_ptr) :: ivar = c_null_ptr    ! (nx, ny)
    integer(c_int64_t) :: pixels_stride = 0
    integer(c_int64_t) :: ivar_stride = 0
    integer(c_int64_t) :: reserved(4) = 0
  end type

  type, bind(c) :: specex_grid
    integer(c_int64_t) :: struct_size = 48
    real(c_double) :: wavemin = 0
    real(c_double) :: wavestep = 0
    integer(c_int64_t) :: nwave = 0
    integer(c_int64_t) :: reserved(2) = 0
  end type

  type, bind(c) :: specex_patch
    integer(c_int64_t) :: struct_size = 112
    real(c_double) :: wavemin = 0
    real(c_double) :: wavestep = 0
    integer(c_int32_t) :: first_fiber = 0
    integer(c_int32_t) :: nfiber = 0
    integer(c_int32_t) :: first_bin = 0
    integer(c_int32_t) :: nbin = 0
    integer(c_int32_t) :: nkeep = 0
    integer(c_int32_t) :: pad_first_fiber = 0
    integer(c_int32_t) :: pad_nfiber = 0
    integer(c_int32_t) :: pad_first_bin = 0
    integer(c_int32_t) :: pad_nbin = 0
    integer(c_int32_t) :: ymin = 0
    integer(c_int32_t) :: ymax = 0
    integer(c_int32_t) :: xmin = 0
    integer(c_int32_t) :: xmax = 0
    integer(c_int32_t) :: ndiag = 0
    integer(c_int32_t) :: first_bundle_fiber = 0
    integer(c_int32_t) :: reserved0 = 0
    integer(c_int32_t) :: reserved1 = 0
    integer(c_int64_t) :: reserved(2) = 0
  end type

  type, bind(c) :: specex_result
    integer(c_int64_t) :: struct_size = 104
    integer(c_int32_t) :: status = 0
    integer(c_int32_t) :: path = 0
    type(c_ptr) :: flux = c_null_ptr              ! (nbin, nfiber)
    type(c_ptr) :: ivar = c_null_ptr              ! (nbin, nfiber)
    type(c_ptr) :: resolution = c_null_ptr        ! (nbin, ndiag, nfiber)
    type(c_ptr) :: chi2pix = c_null_ptr           ! (nbin, nfiber)
    type(c_ptr) :: pixmask_fraction = c_null_ptr  ! (nbin, nfiber)
    type(c_ptr) :: mask = c_null_ptr              ! (nbin, nfiber)
    type(c_ptr) :: model = c_null_ptr             ! (xmax - xmin, ymax - ymin)
    integer(c_int64_t) :: reserved(4) = 0
  end type

  type, bind(c) :: specex_frame
    integer(c_int64_t) :: struct_size = 224
    integer(c_int32_t) :: first_fiber = 0
    integer(c_int32_t) :: nspec = 0
    integer(c_int64_t) :: nwave = 0
    integer(c_int32_t) :: ndiag = 0
    integer(c_int32_t) :: memory = SPECEX_MEMORY_HOST
    type(c_ptr) :: wavelength = c_null_ptr        ! (nwave)
    type(c_ptr) :: flux = c_null_ptr              ! (nwave, nspec)
    type(c_ptr) :: ivar = c_null_ptr              ! (nwave, nspec)
    type(c_ptr) :: resolution = c_null_ptr        ! (nwave, ndiag, nspec)
    type(c_ptr) :: chi2pix = c_null_ptr           ! (nwave, nspec)
    type(c_ptr) :: pixmask_fraction = c_null_ptr  ! (nwave, nspec)
    type(c_ptr) :: mask = c_null_ptr              ! (nwave, nspec)
    type(c_ptr) :: model = c_null_ptr             ! (model_nx, model_ny)
    integer(c_int64_t) :: model_nx = 0
    integer(c_int64_t) :: model_ny = 0
    integer(c_int64_t) :: npatch = 0
    integer(c_int64_t) :: npatch_failed = 0
    integer(c_int64_t) :: nbadpixel = 0
    integer(c_int64_t) :: npath_dense = 0
    integer(c_int64_t) :: npath_banded = 0
    integer(c_int64_t) :: npath_vector = 0
    integer(c_int64_t) :: reserved(8) = 0
  end type

  type, bind(c) :: specex_fits_card
    type(c_ptr) :: name = c_null_ptr
    type(c_ptr) :: value = c_null_ptr
    type(c_ptr) :: comment = c_null_ptr
    integer(c_int32_t) :: type = SPECEX_CARD_TEXT
    integer(c_int32_t) :: reserved0 = 0
  end type

  type, bind(c) :: specex_fits_output
    integer(c_int64_t) :: struct_size = 80
    type(c_ptr) :: input = c_null_ptr
    type(c_ptr) :: cards = c_null_ptr
    integer(c_int64_t) :: ncard = 0
    integer(c_int32_t) :: float64 = 0
    integer(c_int32_t) :: scores = 0
    type(c_ptr) :: fibermap = c_null_ptr
    integer(c_int64_t) :: reserved(4) = 0
  end type
end module
