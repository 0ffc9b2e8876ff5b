// SPDX-License-Identifier: BSD-3-Clause
//
// libspecex: spectroperfectionism extraction of fibre spectra from CCD images
// (Bolton & Schlegel 2010, PASP 122, 248).
//
// How it is used
//   specex_create -> specex_set_psf -> specex_extract_frame -> specex_destroy,
//   or, patch by patch: specex_plan -> specex_extract_patches -> specex_assemble.
//
// Rules that hold for every function
//   - It returns a specex_status; specex_last_error(context) has one sentence of detail.
//   - Structs begin with struct_size = sizeof(the struct); set all other bytes to zero
//     (or call specex_options_init) before filling them in. Fields are only ever added
//     at the end. In an array all structs are of one size.
//   - Indices are zero-based and ranges half-open. Images are [ny][nx], pixel centres are
//     integers, x is the column and y the row (the dispersion). Spectra are
//     [fibre][bin]; resolution is [fibre][diagonal][bin].
//   - Wavelengths are in Angstrom, pixel values in electrons, fluxes in electrons per
//     Angstrom, inverse variances in 1/flux^2.
//   - Inputs are borrowed for the call, outputs belong to the caller. Outputs are always
//     finite; what could not be measured has ivar 0 and a mask bit that says why.
//   - Contexts are independent of each other; a context serves one call at a time and
//     answers a second one with SPECEX_ERROR_BUSY.
//   - A context made before a fork() belongs to the parent (SPECEX_ERROR_FORKED in the
//     child); one made in the child after the parent ran in parallel has one thread.
//   - Nothing is printed, and no signal handler, locale, environment variable,
//     floating-point mode or BLAS setting of the process is changed.
// Everything here is available since 0.1.0.

#ifndef SPECEX_SPECEX_H
#define SPECEX_SPECEX_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SPECEX_VERSION_MAJOR 0
#define SPECEX_VERSION_MINOR 1
#define SPECEX_VERSION_PATCH 0

#if defined(__GNUC__)
#define SPECEX_API __attribute__((visibility("default")))
#else
#define SPECEX_API
#endif

// ---------------------------------------------------------------- statuses

typedef int32_t specex_status;

// Names, numbers and texts are kept in one table (lib/base/status.def). Decades:
// 0 done, 1 partly done, 10s the caller, 20s the data, 30s numerics, 40s memory,
// 50s device, 60s files, 70 cancelled, 90 a bug. Numbers never change.
enum {
  SPECEX_OK = 0,
  SPECEX_PARTIAL = 1,  // some patches failed: their bins are masked, the rest is valid
  SPECEX_ERROR_ARGUMENT = 10,  // a pointer, size or value is out of its documented range
  SPECEX_ERROR_VERSION = 11,   // a struct is of an unknown size or sets unknown fields
  SPECEX_ERROR_STATE = 12,   // called in the wrong order, e.g. extraction before set_psf
  SPECEX_ERROR_BUSY = 13,    // another thread is inside this context
  SPECEX_ERROR_HANDLE = 14,  // not a live handle
  SPECEX_ERROR_FORKED = 15,  // the context was made before a fork()
  SPECEX_ERROR_UNSUPPORTED = 16,  // this build or PSF kind cannot do it
  SPECEX_ERROR_DATA = 20,         // strict mode: an input pixel is not usable
  SPECEX_ERROR_PSF = 21,          // the PSF is incomplete or not finite
  SPECEX_ERROR_RANGE = 22,      // the wavelengths or fibres asked for are outside the PSF
  SPECEX_ERROR_NUMERIC = 30,    // a patch has no finite solution
  SPECEX_ERROR_MEMORY = 40,     // an allocation or a thread was refused
  SPECEX_ERROR_NO_DEVICE = 50,  // no GPU, driver or CUDA library
  SPECEX_ERROR_DEVICE = 51,     // the GPU failed
  SPECEX_ERROR_IO = 60,         // open, read, write, sync or rename failed
  SPECEX_ERROR_FORMAT = 61,     // not a FITS file, or not the one expected
  SPECEX_ERROR_LIMIT = 62,      // the file announces more than the stated limits
  SPECEX_ERROR_CHECKSUM = 63,   // the file's CHECKSUM or DATASUM does not match
  SPECEX_CANCELLED = 70,        // the progress callback asked to stop
  SPECEX_ERROR_INTERNAL = 90    // a bug in the library
};

// Purpose: the name ("SPECEX_OK") or text of a status. Never NULL, never fails; an
//          unknown number gives "SPECEX_UNKNOWN". Thread-safe.
SPECEX_API const char *specex_status_name(specex_status status);
SPECEX_API const char *specex_status_text(specex_status status);

// Purpose: the library's version, "major.minor.patch". Thread-safe.
SPECEX_API const char *specex_version(void);

// ---------------------------------------------------------------- context

typedef struct specex_context specex_context;

enum {
  SPECEX_BACKEND_AUTO = 0,
  SPECEX_BACKEND_CPU = 1,
  SPECEX_BACKEND_CUDA = 2,
  SPECEX_BACKEND_REFERENCE = 3
};
enum { SPECEX_COMPAT_NONE = 0, SPECEX_COMPAT_GPU_SPECTER = 1 };
enum { SPECEX_DECORRELATE_SIGNAL = 0, SPECEX_DECORRELATE_NOISE = 1 };

// Fill with specex_options_init, then change what is needed.
typedef struct specex_options {
  int64_t struct_size;
  int32_t backend;      // SPECEX_BACKEND_...; AUTO: the fastest that works here
  int32_t num_threads;  // 0: OMP_NUM_THREADS, else the cores allowed to this process;
                        // 1: no thread is ever started
  int32_t compat;       // SPECEX_COMPAT_GPU_SPECTER: gpu_specter's rules to the letter
  int32_t decorrelate;  // SPECEX_DECORRELATE_...
  int32_t bundlesize;   // fibres a bundle, counted from fibre 0 [25]
  int32_t nsubbundles;  // sub-bundles a bundle; 0: the bundle is not divided
  int32_t nwavestep;    // bins a patch; 0: all of the grid. With gpu_specter's rules, the
                        // reference backend or noise decorrelation, 0 means 5 and 50
  int32_t wavepad;      // extra bins on each side of a patch [10]
  double wavepad_frac;  // the padding is wavepad + floor(wavepad * wavepad_frac) [0.2]
  double pixpad_frac;   // share of the padding's rows that is used, 0 to 1 [0.8]; all of
                        // them where the grid is not divided
  double regularize;    // added to the diagonal of A^T W A, squared [0]
  double psferr;        // relative error of the PSF model in chi2pix; < 0: the PSF's own
  int32_t strict;       // nonzero: unusable input pixels are an error, not masked
  int32_t device;       // the first GPU of the CUDA backend, numbered as
                        // CUDA_VISIBLE_DEVICES leaves them [0]
  int32_t num_devices;  // bundles are dealt over so many GPUs, from `device` on [1]
  int32_t reserved0;
  int64_t device_memory;  // bytes that the CUDA backend may take on each GPU; 0: as it
                          // needs, at most what is free [0]
  int64_t spot_memory;  // bytes of spots that the CPU backend may keep for further images
                        // with the same PSF, grid and fibres; 0: none [0]
  int64_t reserved[5];
} specex_options;

// Purpose: fills a struct of `size` bytes with the defaults, shown above in brackets.
// Errors:  ARGUMENT (NULL), VERSION (size smaller than the first release's).
SPECEX_API specex_status specex_options_init(specex_options *options, int64_t size);

// Purpose: makes a context. in: options, NULL for the defaults. out: *context.
// Errors:  ARGUMENT (the detail is in specex_last_error(NULL), which is per thread),
//          VERSION, MEMORY, NO_DEVICE, UNSUPPORTED. *context is NULL on error.
SPECEX_API specex_status specex_create(const specex_options *options,
                                       specex_context **context);

// Purpose: frees a context, and the memory that its threads work in, which it keeps from
//          call to call. NULL is allowed. Errors: HANDLE, BUSY.
SPECEX_API specex_status specex_destroy(specex_context *context);

// Purpose: one sentence on what the last failing call of this context found wrong, and
//          where: of this thread's call, where that could not enter it (BUSY, HANDLE,
//          FORKED). NULL: the last failure of this thread that had no context. Never
//          NULL; "" when nothing failed. Valid until the next call.
SPECEX_API const char *specex_last_error(const specex_context *context);

// Purpose: writes what the context runs on (backend, device, vector instructions,
//          threads; why not on a GPU, where AUTO wanted one), as one line of text,
//          into buffer[capacity], always terminated.
SPECEX_API specex_status specex_describe(specex_context *context, char *buffer,
                                         int64_t capacity);

enum {
  SPECEX_LOG_DEBUG = 10,
  SPECEX_LOG_INFO = 20,
  SPECEX_LOG_WARNING = 30,
  SPECEX_LOG_ERROR = 40
};

// Called from the thread that called the library, never concurrently for one context.
typedef void (*specex_log_callback)(int32_t level, const char *message, void *user);
// Called from the thread that called the library, once for each patch that any of its
// threads has done, in order and perhaps a little late. done and total count patches.
// Return nonzero to stop: the call then ends with SPECEX_CANCELLED, each thread at its
// next part of a patch, outputs untouched or masked.
typedef int32_t (*specex_progress_callback)(int64_t done, int64_t total, void *user);

SPECEX_API specex_status specex_set_log(specex_context *context,
                                        specex_log_callback callback, void *user);
SPECEX_API specex_status specex_set_progress(specex_context *context,
                                             specex_progress_callback callback,
                                             void *user);

// ---------------------------------------------------------------- PSF

enum { SPECEX_PSF_GAUSS_HERMITE = 1 };

// A PSF whose parameters are Legendre series in wavelength, one set per fibre. A
// polynomial with n coefficients over [wavemin, wavemax] is evaluated at
// t = 2 (wave - wavemin) / (wavemax - wavemin) - 1 and extrapolates outside.
//
// GAUSS-HERMITE (version 3, as specex and DESI write it) needs the parameters GHSIGX,
// GHSIGY and GH-i-j (i: x degree, j: y degree; absent ones are 0), and knows TAILAMP,
// TAILCORE, TAILXSCA, TAILYSCA, TAILINDE (the Lorentzian tail) and STATUS (nonzero: a
// failed fit, the fibre's bins get SPECEX_MASK_BADFIBER). Others are ignored.
typedef struct specex_psf {
  int64_t struct_size;
  int32_t kind;   // SPECEX_PSF_GAUSS_HERMITE
  int32_t nspec;  // fibres
  int64_t nx;     // CCD the PSF was made for, pixels; 0: unknown, not checked
  int64_t ny;
  int32_t hsizex;  // a spot is (2 hsizey + 1) x (2 hsizex + 1) pixels
  int32_t hsizey;
  int32_t ghdegx;         // largest i of GH-i-j
  int32_t ghdegy;         // largest j
  double xtrace_wavemin;  // Angstrom
  double xtrace_wavemax;
  double ytrace_wavemin;
  double ytrace_wavemax;
  double wavemin;  // of the parameters
  double wavemax;
  int32_t xtrace_ncoef;
  int32_t ytrace_ncoef;
  int32_t nparam;
  int32_t ncoef;                   // of the parameters
  const double *xtrace;            // [nspec][xtrace_ncoef], pixels
  const double *ytrace;            // [nspec][ytrace_ncoef], pixels
  const char *const *param_names;  // [nparam]
  const double *params;            // [nparam][nspec][ncoef]
  double psferr;                   // relative PSF error; <= 0: unknown, 0.01 is taken
  int64_t reserved[6];
} specex_psf;

// Purpose: checks and copies a PSF into the context, in place of any earlier one.
// Errors:  ARGUMENT, VERSION, PSF (names the parameter and the fibre), UNSUPPORTED
//          (kind). On error the earlier PSF stays.
SPECEX_API specex_status specex_set_psf(specex_context *context, const specex_psf *psf);

// What a caller needs to know of the context's PSF to size its arrays.
typedef struct specex_psf_info {
  int64_t struct_size;
  int32_t nspec;
  int32_t ndiag;    // diagonals of the resolution matrix: 2 hsizey + 1
  int32_t spot_nx;  // pixels
  int32_t spot_ny;
  double wavemin;  // range common to traces and parameters, Angstrom
  double wavemax;
  double psferr;  // the value chi2pix uses
  int64_t nx;     // CCD size, 0: unknown
  int64_t ny;
  int64_t reserved[4];
} specex_psf_info;

SPECEX_API specex_status specex_get_psf_info(specex_context *context,
                                             specex_psf_info *info);

// Purpose: where a fibre's light falls. in: wave[n]. out: x[n], y[n] in pixels.
// Errors:  STATE, RANGE (fiber), ARGUMENT (also a wavelength so far off that the series
//          is not finite there; nothing is written then).
SPECEX_API specex_status specex_trace(specex_context *context, int32_t fiber,
                                      const double *wave, int64_t n, double *x,
                                      double *y);

// ---------------------------------------------------------------- images and grids

enum { SPECEX_FLOAT32 = 1, SPECEX_FLOAT64 = 2 };

// Where the arrays of an image or a frame are. DEVICE: in memory of the GPU that a
// context with the CUDA backend uses (specex_options.device). The caller has finished
// writing them before the call, e.g. synchronised its stream, and finds them complete
// after it.
enum { SPECEX_MEMORY_HOST = 0, SPECEX_MEMORY_DEVICE = 1 };

// Pixels that must not be used have ivar 0. Pixels whose value or ivar is not finite, or
// whose ivar is negative, are taken as ivar 0 and counted (strict: SPECEX_ERROR_DATA).
typedef struct specex_image {
  int64_t struct_size;
  int32_t type;    // of pixels and ivar: SPECEX_FLOAT32 or SPECEX_FLOAT64
  int32_t memory;  // SPECEX_MEMORY_...: where pixels and ivar are
  int64_t nx;
  int64_t ny;
  const void *pixels;     // [ny][nx], electrons
  const void *ivar;       // [ny][nx], 1/electrons^2
  int64_t pixels_stride;  // elements from one row to the next, >= nx
  int64_t ivar_stride;
  int64_t reserved[4];
} specex_image;

// Bin w is centred on wavemin + w * wavestep.
typedef struct specex_grid {
  int64_t struct_size;
  double wavemin;   // Angstrom
  double wavestep;  // Angstrom, > 0
  int64_t nwave;
  int64_t reserved[2];
} specex_grid;

// Purpose: the grid wavemin, wavemin + wavestep, ... up to wavemax + wavestep/2, as
//          numpy.arange and the peers count it. Errors: ARGUMENT.
SPECEX_API specex_status specex_grid_from_range(double wavemin, double wavemax,
                                                double wavestep, specex_grid *grid);

// ---------------------------------------------------------------- masks

// Bits of the output mask; numbers are those of desispec's specmask.
enum {
  SPECEX_MASK_SOMEBADPIX = 1,  // more than half of the bin's profile is on bad pixels
  SPECEX_MASK_ALLBADPIX = 2,   // no usable pixel under the bin's profile
  SPECEX_MASK_BAD2DFIT = 128,  // the model does not fit the pixels
  SPECEX_MASK_NODATA = 256,   // not measured: off the CCD, no usable pixel or no solution
  SPECEX_MASK_BADFIBER = 512  // the PSF file calls this fibre's fit failed
};

// ---------------------------------------------------------------- patches

// A piece of a bundle that is solved on its own: core fibres x bins, which are reported,
// inside padded fibres x bins, which are solved. Made by specex_plan. Bin numbers count
// from the grid's first bin and may be negative, or beyond its end, in the padding.
typedef struct specex_patch {
  int64_t struct_size;
  double wavemin;   // of bin 0, Angstrom
  double wavestep;  // Angstrom
  int32_t first_fiber;
  int32_t nfiber;
  int32_t first_bin;
  int32_t nbin;
  int32_t nkeep;  // of the core bins, how many belong to the grid (the last patch)
  int32_t pad_first_fiber;
  int32_t pad_nfiber;
  int32_t pad_first_bin;
  int32_t pad_nbin;
  int32_t ymin;  // pixel rows and columns that are used; may leave the CCD
  int32_t ymax;
  int32_t xmin;
  int32_t xmax;
  int32_t ndiag;
  int32_t first_bundle_fiber;  // the bundle it was cut from
  int32_t reserved0;
  int32_t reserved1;
  int64_t reserved[2];
} specex_patch;

// Purpose: the patches of fibres [first_fiber, first_fiber + nspec), in order. The
//          division of a bundle does not depend on the range asked for, so a fibre's
//          result does not either, but for rounding; patches at the range's ends may hold
//          more fibres.
// in:      capacity of patches[] (0 and NULL to ask for the count), struct_size of the
//          first of them: the others follow at that distance (where it is none that a
//          release has, at that of the first one)
// out:     patches[], *count
// Errors:  STATE (no PSF), ARGUMENT (also capacity < count), VERSION, RANGE.
SPECEX_API specex_status specex_plan(specex_context *context, const specex_grid *grid,
                                     int32_t first_fiber, int32_t nspec,
                                     specex_patch *patches, int64_t capacity,
                                     int64_t *count);

// How a patch was solved; of one that was solved in parts, the lowest number of theirs.
enum {
  SPECEX_PATH_NONE = 0,    // not solved: off the CCD, cancelled or failed
  SPECEX_PATH_DENSE = 1,   // dense eigenvectors
  SPECEX_PATH_BANDED = 2,  // with products of its own, in double precision throughout
  SPECEX_PATH_VECTOR = 3,  // fibre by fibre, many patches or parts at once: in vector
                           // lanes or on a GPU
  SPECEX_PATH_COUNT = 8
};

// Caller's arrays for one patch, any of which may be NULL when not wanted.
typedef struct specex_result {
  int64_t struct_size;
  int32_t status;      // out: of this patch
  int32_t path;        // out: SPECEX_PATH_...
  double *flux;        // [nfiber][nbin]
  double *ivar;        // [nfiber][nbin]
  double *resolution;  // [nfiber][ndiag][nbin]: element k, w is R[w - ndiag/2 + k, w]
  double *chi2pix;     // [nfiber][nbin]
  double *pixmask_fraction;  // [nfiber][nbin]
  int32_t *mask;             // [nfiber][nbin]
  double *model;  // [ymax - ymin][xmax - xmin], electrons; core fibres and bins
  int64_t reserved[4];
} specex_result;

// Purpose: extracts n patches, in parallel. A failed patch gets its own status and
//          masked outputs and never fails its neighbours; the call then says PARTIAL.
// in:      image, in host or device memory; results are in host memory
// Errors:  STATE, ARGUMENT, VERSION, UNSUPPORTED (device memory and another backend than
//          CUDA), DATA (strict), MEMORY, DEVICE, CANCELLED.
SPECEX_API specex_status specex_extract_patches(specex_context *context,
                                                const specex_image *image,
                                                const specex_patch *patches, int64_t n,
                                                specex_result *results);

// Caller's arrays for a frame, any of which may be NULL when not wanted.
typedef struct specex_frame {
  int64_t struct_size;
  int32_t first_fiber;
  int32_t nspec;
  int64_t nwave;
  int32_t ndiag;             // as specex_get_psf_info says
  int32_t memory;            // SPECEX_MEMORY_...: where all of the arrays are
  double *wavelength;        // [nwave]
  double *flux;              // [nspec][nwave]
  double *ivar;              // [nspec][nwave]
  double *resolution;        // [nspec][ndiag][nwave]
  double *chi2pix;           // [nspec][nwave]
  double *pixmask_fraction;  // [nspec][nwave]
  int32_t *mask;             // [nspec][nwave]
  double *model;             // [model_ny][model_nx], electrons
  int64_t model_nx;
  int64_t model_ny;
  int64_t npatch;         // out
  int64_t npatch_failed;  // out: patches with an error status
  int64_t nbadpixel;      // out: input pixels masked as not finite or negative ivar
  int64_t npath_dense;    // out: patches solved by each SPECEX_PATH_
  int64_t npath_banded;
  int64_t npath_vector;
  int64_t reserved[8];
} specex_frame;

// Purpose: trims n results and places them in a frame, whose wavelengths become those of
//          the first patch's grid; sets BAD2DFIT, which needs the whole frame. Bins of
//          the frame that no patch covers become flux 0, ivar 0, NODATA. All arrays are
//          in host memory.
// Errors:  ARGUMENT, VERSION.
SPECEX_API specex_status specex_assemble(specex_context *context,
                                         const specex_patch *patches,
                                         const specex_result *results, int64_t n,
                                         specex_frame *frame);

// Purpose: plan + extract + assemble of fibres [first_fiber, first_fiber + nspec).
// in:      image, grid; frame with its sizes and arrays, in host or device memory
//          whatever the image is in. out: the frame.
// Errors:  as the three. PARTIAL: see frame->npatch_failed.
SPECEX_API specex_status specex_extract_frame(specex_context *context,
                                              const specex_image *image,
                                              const specex_grid *grid,
                                              int32_t first_fiber, int32_t nspec,
                                              specex_frame *frame);

// Where the time of an extraction goes. Every moment of a thread belongs to one stage;
// later releases may add stages at the end.
enum {
  SPECEX_STAGE_FRAME = 0,   // what is left: checks, plan, memory, waiting
  SPECEX_STAGE_PIXELS = 1,  // where spots lie; the pixels around them
  SPECEX_STAGE_SPOTS = 2,   // the PSF at every bin
  SPECEX_STAGE_BLOCKS = 3,  // blocks of the normal equations, A^T W A and A^T W d
  SPECEX_STAGE_GATHER = 4,  // each patch's equations, cut from the blocks; conditioning
  SPECEX_STAGE_ELIMINATION = 5,  // of each fibre's neighbours
  SPECEX_STAGE_FLUX = 6,         // solution of the equations
  SPECEX_STAGE_ROOT = 7,         // square roots: resolution and inverse variance
  SPECEX_STAGE_MODEL = 8,        // model image and chi2pix
  SPECEX_STAGE_FINISH = 9,       // masks, units and the caller's layout
  SPECEX_STAGE_FALLBACK = 10,    // all of the patches solved without vector lanes
  SPECEX_NSTAGE = 11
};

// Purpose: the name of a stage ("spots"). Never NULL, never fails; "unknown" for a number
//          that is no stage. Thread-safe.
SPECEX_API const char *specex_stage_name(int32_t stage);

// Purpose: what each stage of the context's last extraction took, summed over threads.
// in:      capacity (SPECEX_NSTAGE for all stages)
// out:     seconds[capacity]; 0 for stages that this library does not have
// Errors:  ARGUMENT.
SPECEX_API specex_status specex_stage_seconds(specex_context *context, double *seconds,
                                              int64_t capacity);

// Purpose: the forward model: adds up spots times spectra into an image.
// in:      spectra [nspec][nwave of the grid], electrons per Angstrom; nx, ny pixels
// out:     image [ny][nx], electrons, overwritten; in part only where CANCELLED
// Errors:  STATE, ARGUMENT (also sums that are not finite: image is 0 then), RANGE,
//          MEMORY, CANCELLED.
SPECEX_API specex_status specex_project(specex_context *context, const specex_grid *grid,
                                        int32_t first_fiber, int32_t nspec,
                                        const double *spectra, int64_t nx, int64_t ny,
                                        double *image);

#ifdef __cplusplus
}
#endif

#endif
