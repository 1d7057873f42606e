"""Whether the references' own glasses are shown, and the photos without them if they are not."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hifi_portrait.head.arrays import BoolArray
from hifi_portrait.head.model import HeadModel
from hifi_portrait.warp.glasses.detect import wears_glasses
from hifi_portrait.warp.glasses.remove import remove_glasses
from hifi_portrait.warp.registration import RegisteredPhotos
from hifi_portrait.warp.settings import WarpSettings


@dataclass(frozen=True, eq=False)
class GlassesState:
    """Which of N references wear glasses.

    Attributes
    ----------
    worn
        (N,) which of them do.
    requested
        Whether the references' own glasses are to be shown.
    """

    worn: BoolArray
    requested: bool

    def hides(self, main: int) -> BoolArray:
        """Which references (N,) do not show the eyes as they are to be drawn, as the main one does."""
        return np.asarray(self.worn != self.worn[main] if self.requested else self.worn)


def settle_glasses(
    photos: RegisteredPhotos, model: HeadModel, settings: WarpSettings, *, bare_eyes: bool
) -> tuple[RegisteredPhotos, GlassesState]:
    """Decide whether the references' own glasses are shown, and remove them from the photos if not.

    They are shown if most references wear them, by their quality, unless ``bare_eyes`` is set.
    """
    worn = np.array(
        [
            wears_glasses(*photo, model, settings.glasses_detection)
            for photo in zip(photos.crops, photos.xy, photos.visibility, strict=True)
        ]
    )
    by_most = bool((photos.quality * worn).sum() > photos.quality.sum() / 2)
    if by_most and not bare_eyes:
        return photos, GlassesState(worn, requested=True)
    crops = list(photos.crops)
    for number in np.flatnonzero(worn):
        photo = photos.crops[number], photos.posed.bald[number], photos.heads[number]
        crops[number] = remove_glasses(*photo, model, settings.glasses_removal)
    return replace(photos, crops=np.stack(crops)), GlassesState(worn, requested=False)
