# SPDX-License-Identifier: BSD-3-Clause
"""Checks a frame that test_write_frame wrote: what desispec expects of one.

Exit status 77: astropy is not there to look with.
"""
import sys
import warnings

try:
    import numpy as np
    from astropy.io import fits
except ImportError:
    sys.exit(77)

warnings.simplefilter("error")
warnings.simplefilter("ignore", ResourceWarning)
path, real = sys.argv[1:]
expected = [
    ("FLUX", real),
    ("IVAR", real),
    ("MASK", "u4"),
    ("WAVELENGTH", "f8"),
    ("RESOLUTION", real),
    ("FIBERMAP", None),
    ("CHI2PIX", real),
    ("PIXMASK_FRACTION", real),
    ("SCORES", None),
]
with fits.open(path, checksum=True, uint=True) as hdus:
    hdus.verify("exception")
    assert [hdu.name for hdu in hdus] == [name for name, _ in expected]
    for hdu, (name, kind) in zip(hdus, expected):
        assert "CHECKSUM" in hdu.header and "DATASUM" in hdu.header, name
        if kind:
            assert hdu.data.dtype == np.dtype(kind).newbyteorder(">") or (
                hdu.data.dtype == np.dtype(kind)
            ), (name, hdu.data.dtype)
    header = hdus[0].header
    assert header["BUNIT"] == "electron/Angstrom"
    assert header["NSPEC"] == 3 and header["FIBERMIN"] == 1
    assert header["WAVEMIN"] == 6000.0 and header["WAVESTEP"] == 0.5
    assert header["CAMERA"] == "r0" and header["FLAVOR"] == "science"
    assert header["HELIOCOR"] == 1.00001
    assert header["LONGTEXT"] == "abc " * 40 + "end"
    assert hdus["WAVELENGTH"].header["BUNIT"] == "Angstrom"
    assert hdus["FLUX"].data.shape == (3, 4)
    assert hdus["RESOLUTION"].data.shape == (3, 5, 4)
    assert hdus["MASK"].data[0, 1] == 2**31
    table = hdus["FIBERMAP"].data
    assert list(table["TARGETID"]) == [101, 102, 103]
    assert list(table["OBJTYPE"]) == ["SKY", "TGT", "SKY"]
    assert hdus["FIBERMAP"].header["TUNIT1"] == "none"
    scores = hdus["SCORES"].data
    assert scores.names == [
        "TARGETID",
        "SUM_RAW_COUNT_R",
        "MEDIAN_RAW_COUNT_R",
        "MEDIAN_RAW_SNR_R",
    ]
    assert list(scores["TARGETID"]) == [101, 102, 103]
    flux = hdus["FLUX"].data.astype("f8")
    ivar = hdus["IVAR"].data.astype("f8")
    width = np.gradient(hdus["WAVELENGTH"].data)
    assert np.allclose(scores["SUM_RAW_COUNT_R"], flux.sum(axis=1), rtol=1e-6)
    assert np.allclose(
        scores["MEDIAN_RAW_COUNT_R"], np.median(flux / width, axis=1), rtol=1e-6
    )
    snr = np.median(np.sqrt(ivar) * flux / np.sqrt(width), axis=1)
    assert np.allclose(scores["MEDIAN_RAW_SNR_R"], snr, rtol=1e-6)
