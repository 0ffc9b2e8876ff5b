# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._arrays import address, with_shape
from ._structs import specex_patch, specex_result
from .constants import Path, Status


# A piece of a bundle that is solved on its own, made by Context.plan. Its fibres, bins
# and pixels are numbered from 0.
Patch = specex_patch


@dataclass(eq=False)
class PatchResult:
    """The spectra of a patch, and how it went.

    `flux`, `ivar`, `mask`, `chi2pix` and `pixmask_fraction` are `[nfiber, nbin]`,
    `resolution_data` is `[nfiber, ndiag, nbin]`, `model` covers the patch's pixels.
    """

    flux: np.ndarray
    ivar: np.ndarray
    mask: np.ndarray
    resolution_data: np.ndarray
    chi2pix: np.ndarray
    pixmask_fraction: np.ndarray
    model: np.ndarray | None
    status: Status = Status.OK
    path: Path = Path.NONE

    @classmethod
    def _empty(cls, patch: Patch, model: bool) -> PatchResult:
        """A result for the library to fill."""
        shape, resolution_shape, model_shape = _shapes(patch)
        return cls(
            flux=np.empty(shape),
            ivar=np.empty(shape),
            mask=np.empty(shape, np.int32),
            resolution_data=np.empty(resolution_shape),
            chi2pix=np.empty(shape),
            pixmask_fraction=np.empty(shape),
            model=np.empty(model_shape) if model else None,
        )

    def _check(self, patch: Patch) -> None:
        shape, resolution_shape, model_shape = _shapes(patch)
        for name in ("flux", "ivar", "mask", "chi2pix", "pixmask_fraction"):
            with_shape(getattr(self, name), f"{name} of a result", shape)
        with_shape(self.resolution_data, "resolution_data of a result", resolution_shape)
        if self.model is not None:
            with_shape(self.model, "model of a result", model_shape)

    def _struct(self) -> specex_result:
        return specex_result(
            status=self.status,
            path=self.path,
            flux=address(self.flux),
            ivar=address(self.ivar),
            resolution=address(self.resolution_data),
            chi2pix=address(self.chi2pix),
            pixmask_fraction=address(self.pixmask_fraction),
            mask=address(self.mask),
            model=address(self.model),
        )

    def _take_outcome(self, result: specex_result) -> PatchResult:
        self.status, self.path = Status(result.status), Path(result.path)
        return self


def _shapes(patch: Patch) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Of spectra, of resolution and of the model of a patch."""
    return (
        (patch.nfiber, patch.nbin),
        (patch.nfiber, patch.ndiag, patch.nbin),
        (patch.ymax - patch.ymin, patch.xmax - patch.xmin),
    )
