# SPDX-License-Identifier: BSD-3-Clause
"""
Spectroperfectionism extraction of fibre spectra from CCD images, by the C library
libspecex.

**Fibres are numbered from 0**, as in the PSF, the FIBERMAP and the library's messages:
`0:24` are the first 25 fibres. Arrays are Julia's own, indexed from 1, with the axes of C
reversed: images are `[nx, ny]`, spectra `[nwave, nspec]`, resolution
`[nwave, ndiag, nspec]`. Column `k` of a frame is fibre `first(fibers) + k - 1`.

The library is the file that the environment variable `LIBSPECEX_LIBRARY` names, else the
system's.
"""
module LibSpecex

import Libdl

export Context, DeviceArray, Frame, FitsFile, Grid, Image, Patch, PatchResult, Psf,
       SpecexError
export assemble, describe, extract_frame, extract_frame!, extract_patches, plan, project,
       psf_info, read_fibermap, read_frame, read_image, read_psf, set_log!, set_progress!,
       set_psf!, stage_seconds, trace, write_frame, write_image, write_psf

include("c_constants.jl")
include("c_structs.jl")
include("c_functions.jl")
include("errors.jl")
include("context.jl")
include("arrays.jl")
include("device.jl")
include("psf.jl")
include("image.jl")
include("frame.jl")
include("patches.jl")
include("fits.jl")

end
