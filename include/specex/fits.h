// SPDX-License-Identifier: BSD-3-Clause
//
// libspecex's optional file layer: preproc images, PSFs and frames as DESI writes them.
// File names are literal (no CFITSIO filters, drivers or commands); headers are checked
// against limits before they are parsed; a written path holds either what it held before
// or a complete, checksummed, synced new file. All rules of specex.h hold. In a build
// without CFITSIO every function answers SPECEX_ERROR_UNSUPPORTED. Since 0.1.0.

#ifndef SPECEX_FITS_H
#define SPECEX_FITS_H

#include <specex/specex.h>

#ifdef __cplusplus
extern "C" {
#endif

// What was read from a file. Free it with specex_fits_free; pointers taken from it are
// valid until then. Independent of the context it was read with.
typedef struct specex_fits_file specex_fits_file;

enum { SPECEX_BADMASK_DEFAULT = 767 };  // desispec's: bits 0-7 and 9

// Purpose: reads a preproc file: IMAGE, IVAR and, where present, MASK and FIBERMAP;
//          .fits, .fits.gz, .fits.fz; float32, float64 or integer pixels. x.fits.gz is
//          taken where x.fits does not exist. Pixels with (MASK & badmask) get ivar 0.
// Errors:  ARGUMENT, IO, FORMAT, LIMIT, CHECKSUM, MEMORY; *file is NULL then.
SPECEX_API specex_status specex_fits_read_image(specex_context *context, const char *path,
                                                int64_t badmask, specex_fits_file **file);

// Purpose: reads a PSF file (XTRACE, YTRACE, PSF; PSFTYPE GAUSS-HERMITE, PSFVER 3).
SPECEX_API specex_status specex_fits_read_psf(specex_context *context, const char *path,
                                              specex_fits_file **file);

// Purpose: reads a frame or truth file: FLUX, WAVELENGTH and, where present, IVAR,
//          MASK, RESOLUTION, CHI2PIX, PIXMASK_FRACTION, MODEL.
SPECEX_API specex_status specex_fits_read_frame(specex_context *context, const char *path,
                                                specex_fits_file **file);

// Purpose: reads the FIBERMAP table of any FITS file that has one, to replace an image's
//          own in specex_fits_output. Errors: as specex_fits_read_image.
SPECEX_API specex_status specex_fits_read_fibermap(specex_context *context,
                                                   const char *path,
                                                   specex_fits_file **file);

// Purpose: frees what a read function handed out. NULL is allowed.
SPECEX_API void specex_fits_free(specex_fits_file *file);

// Purpose: views of what the file holds, borrowed from it. The struct's struct_size
//          must be set. Errors: ARGUMENT (the file is of another kind), VERSION.
SPECEX_API specex_status specex_fits_get_image(const specex_fits_file *file,
                                               specex_image *image);
SPECEX_API specex_status specex_fits_get_psf(const specex_fits_file *file,
                                             specex_psf *psf);
SPECEX_API specex_status specex_fits_get_frame(const specex_fits_file *file,
                                               specex_frame *frame);

// Purpose: the value of a header key, as text without quotes: of the HDU that describes
//          the file (IMAGE, PSF, FLUX) or, where that lacks it, of the first header.
// Errors:  ARGUMENT (NULL, or no such key: buffer becomes "").
SPECEX_API specex_status specex_fits_get_key(const specex_fits_file *file,
                                             const char *name, char *buffer,
                                             int64_t capacity);

enum {
  SPECEX_CARD_TEXT = 1,
  SPECEX_CARD_INTEGER = 2,
  SPECEX_CARD_REAL = 3,
  SPECEX_CARD_LOGICAL = 4
};

// A header key to write; it replaces one of the same name that was passed through.
typedef struct specex_fits_card {
  const char *name;     // 1 to 8 characters of A-Z 0-9 - _
  const char *value;    // as text: "1.5", "T", "r0"
  const char *comment;  // NULL: none
  int32_t type;         // SPECEX_CARD_...
  int32_t reserved0;
} specex_fits_card;

typedef struct specex_fits_output {
  int64_t struct_size;
  const specex_fits_file *input;  // image file whose header keys and FIBERMAP are passed
                                  // through untouched; NULL: none
  const specex_fits_card *cards;  // added to the first header
  int64_t ncard;
  int32_t float64;  // nonzero: floating-point arrays as double instead of float32
  int32_t scores;   // nonzero: a SCORES table (frames only)
  const specex_fits_file *fibermap;  // whose FIBERMAP is written; NULL: that of input
  int64_t reserved[4];
} specex_fits_output;

// Purpose: writes a frame that desispec reads: FLUX, IVAR, MASK, WAVELENGTH, RESOLUTION,
//          FIBERMAP, CHI2PIX, PIXMASK_FRACTION and SCORES, with CHECKSUM and DATASUM.
//          Arrays that are NULL are left out. A path ending in .gz is compressed. The
//          model image is not part of it: see specex_fits_write_image. Until it is
//          complete, NAME.fits is NAME.tmp<process id>-<hexadecimal>.fits, which a
//          process that is killed leaves behind.
// Errors:  ARGUMENT (also arrays in device memory), MEMORY, IO (an existing file stays
//          as it was).
SPECEX_API specex_status specex_fits_write_frame(specex_context *context,
                                                 const char *path,
                                                 const specex_frame *frame,
                                                 const specex_fits_output *output);

// Purpose: writes a preproc file: IMAGE, IVAR, MASK (NULL: left out; [ny][nx]), FIBERMAP
//          of output->input. ivar of the image may be NULL: the file then has IMAGE only.
SPECEX_API specex_status specex_fits_write_image(specex_context *context,
                                                 const char *path,
                                                 const specex_image *image,
                                                 const int32_t *mask,
                                                 const specex_fits_output *output);

// Purpose: writes a PSF file in specex's GAUSS-HERMITE version 3 format.
SPECEX_API specex_status specex_fits_write_psf(specex_context *context, const char *path,
                                               const specex_psf *psf,
                                               const specex_fits_output *output);

#ifdef __cplusplus
}
#endif

#endif
