# SPDX-License-Identifier: BSD-3-Clause
"""The structs of specex.h and fits.h, field by field; their meaning is told there."""

from __future__ import annotations

from ctypes import POINTER, Structure, c_char_p, c_double, c_int32, c_int64, c_void_p
from ctypes import sizeof
from typing import Any


class _Sized(Structure):
    """A struct that begins with its size."""

    def __init__(self, **fields: Any) -> None:
        super().__init__(struct_size=sizeof(self), **fields)


class specex_options(_Sized):
    _fields_ = [
        ("struct_size", c_int64),
        ("backend", c_int32),
        ("num_threads", c_int32),
        ("compat", c_int32),
        ("decorrelate", c_int32),
        ("bundlesize", c_int32),
        ("nsubbundles", c_int32),
        ("nwavestep", c_int32),
        ("wavepad", c_int32),
        ("wavepad_frac", c_double),
        ("pixpad_frac", c_double),
        ("regularize", c_double),
        ("psferr", c_double),
        ("strict", c_int32),
        ("device", c_int32),
        ("num_devices", c_int32),
        ("reserved0", c_int32),
        ("device_memory", c_int64),
        ("spot_memory", c_int64),
        ("reserved", c_int64 * 5),
    ]


class specex_psf(_Sized):
    _fields_ = [
        ("struct_size", c_int64),
        ("kind", c_int32),
        ("nspec", c_int32),
        ("nx", c_int64),
        ("ny", c_int64),
        ("hsizex", c_int32),
        ("hsizey", c_int32),
        ("ghdegx", c_int32),
        ("ghdegy", c_int32),
        ("xtrace_wavemin", c_double),
        ("xtrace_wavemax", c_double),
        ("ytrace_wavemin", c_double),
        ("ytrace_wavemax", c_double),
        ("wavemin", c_double),
        ("wavemax", c_double),
        ("xtrace_ncoef", c_int32),
        ("ytrace_ncoef", c_int32),
        ("nparam", c_int32),
        ("ncoef", c_int32),
        ("xtrace", c_void_p),
        ("ytrace", c_void_p),
        ("param_names", POINTER(c_char_p)),
        ("params", c_void_p),
        ("psferr", c_double),
        ("reserved", c_int64 * 6),
    ]


class specex_psf_info(_Sized):
    _fields_ = [
        ("struct_size", c_int64),
        ("nspec", c_int32),
        ("ndiag", c_int32),
        ("spot_nx", c_int32),
        ("spot_ny", c_int32),
        ("wavemin", c_double),
        ("wavemax", c_double),
        ("psferr", c_double),
        ("nx", c_int64),
        ("ny", c_int64),
        ("reserved", c_int64 * 4),
    ]


class specex_image(_Sized):
    _fields_ = [
        ("struct_size", c_int64),
        ("type", c_int32),
        ("memory", c_int32),
        ("nx", c_int64),
        ("ny", c_int64),
        ("pixels", c_void_p),
        ("ivar", c_void_p),
        ("pixels_stride", c_int64),
        ("ivar_stride", c_int64),
        ("reserved", c_int64 * 4),
    ]


class specex_grid(_Sized):
    _fields_ = [
        ("struct_size", c_int64),
        ("wavemin", c_double),
        ("wavestep", c_double),
        ("nwave", c_int64),
        ("reserved", c_int64 * 2),
    ]


class specex_patch(_Sized):
    _fields_ = [
        ("struct_size", c_int64),
        ("wavemin", c_double),
        ("wavestep", c_double),
        ("first_fiber", c_int32),
        ("nfiber", c_int32),
        ("first_bin", c_int32),
        ("nbin", c_int32),
        ("nkeep", c_int32),
        ("pad_first_fiber", c_int32),
        ("pad_nfiber", c_int32),
        ("pad_first_bin", c_int32),
        ("pad_nbin", c_int32),
        ("ymin", c_int32),
        ("ymax", c_int32),
        ("xmin", c_int32),
        ("xmax", c_int32),
        ("ndiag", c_int32),
        ("first_bundle_fiber", c_int32),
        ("reserved0", c_int32),
        ("reserved1", c_int32),
        ("reserved", c_int64 * 2),
    ]


class specex_result(_Sized):
    _fields_ = [
        ("struct_size", c_int64),
        ("status", c_int32),
        ("path", c_int32),
        ("flux", c_void_p),
        ("ivar", c_void_p),
        ("resolution", c_void_p),
        ("chi2pix", c_void_p),
        ("pixmask_fraction", c_void_p),
        ("mask", c_void_p),
        ("model", c_void_p),
        ("reserved", c_int64 * 4),
    ]


class specex_frame(_Sized):
    _fields_ = [
        ("struct_size", c_int64),
        ("first_fiber", c_int32),
        ("nspec", c_int32),
        ("nwave", c_int64),
        ("ndiag", c_int32),
        ("memory", c_int32),
        ("wavelength", c_void_p),
        ("flux", c_void_p),
        ("ivar", c_void_p),
        ("resolution", c_void_p),
        ("chi2pix", c_void_p),
        ("pixmask_fraction", c_void_p),
        ("mask", c_void_p),
        ("model", c_void_p),
        ("model_nx", c_int64),
        ("model_ny", c_int64),
        ("npatch", c_int64),
        ("npatch_failed", c_int64),
        ("nbadpixel", c_int64),
        ("npath_dense", c_int64),
        ("npath_banded", c_int64),
        ("npath_vector", c_int64),
        ("reserved", c_int64 * 8),
    ]


class specex_fits_card(Structure):
    _fields_ = [
        ("name", c_char_p),
        ("value", c_char_p),
        ("comment", c_char_p),
        ("type", c_int32),
        ("reserved0", c_int32),
    ]


class specex_fits_output(_Sized):
    _fields_ = [
        ("struct_size", c_int64),
        ("input", c_void_p),
        ("cards", POINTER(specex_fits_card)),
        ("ncard", c_int64),
        ("float64", c_int32),
        ("scores", c_int32),
        ("fibermap", c_void_p),
        ("reserved", c_int64 * 4),
    ]
