"""What a warp finds out of a person's photos alone, whatever the target: found out once for each size."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np

from hifi_portrait.faces.label_maps import region_mask
from hifi_portrait.faces.labels import FaceLabel
from hifi_portrait.head.arrays import ByteArray, FloatArray
from hifi_portrait.head.model import HeadModel
from hifi_portrait.person.references import References
from hifi_portrait.warp.clear_background import background_of
from hifi_portrait.warp.face.covered import leave_out_covered
from hifi_portrait.warp.glasses.settle import GlassesState, settle_glasses
from hifi_portrait.warp.hair.beside_mesh import LooseHair, find_loose_hair
from hifi_portrait.warp.hair.labelled import find_labelled_hair
from hifi_portrait.warp.hair.shell import pose_heads
from hifi_portrait.warp.photo_grid.space import PhotoSpace, measure_space
from hifi_portrait.warp.photos import clean_photos, own_colours
from hifi_portrait.warp.registration import RegisteredPhotos, register_photos
from hifi_portrait.warp.settings import WarpSettings

_COVERS = (FaceLabel.HAIR, FaceLabel.CLOTHES, FaceLabel.HEADWEAR, FaceLabel.OCCLUDER)
"""Labels of what hides ears."""

_MOST_KEPT = 2
"""How many preparations of the same references are kept: for two sizes, say."""


@dataclass(frozen=True, eq=False)
class PreparedPhotos:
    """The photos of a person, cleaned and registered, and what is found out of each when it is asked for.

    Attributes
    ----------
    photos
        The photos, with glasses left out where they are not to be shown.
    glasses
        Who wears some.
    label_maps
        (N, P, P), what face parsing found in each photo; None where it was not run.
    """

    photos: RegisteredPhotos
    glasses: GlassesState
    label_maps: ByteArray | None
    model: HeadModel
    settings: WarpSettings
    _backgrounds: dict[int, FloatArray] = field(default_factory=dict)
    _remainders: dict[int, FloatArray] = field(default_factory=dict)
    _loose_hair: dict[int, LooseHair] = field(default_factory=dict)
    _spaces: dict[int, PhotoSpace] = field(default_factory=dict)

    @cached_property
    def mattes(self) -> FloatArray:
        """(N, S, S) in [0, 1], 0 beyond a photo's edges."""
        return np.asarray(self.photos.mattes * self.photos.shown, np.float32)

    @cached_property
    def colours(self) -> ByteArray:
        """(N, S, S, 3), the person's own colours, without the background's at the person's edge."""
        pairs = zip(self.photos.crops, self.photos.mattes, strict=True)
        return np.stack([own_colours(*pair, self.settings.photos) for pair in pairs])

    def background(self, number: int) -> FloatArray:
        """Background (S, S, 3) of one of the photos, closed where the person is."""
        if number not in self._backgrounds:
            photos = self.photos
            self._backgrounds[number] = background_of(
                photos.crops[number],
                self.mattes[number],
                photos.shown[number],
                photos.xy[number],
                self.model,
                self.settings.background,
            )
        return self._backgrounds[number]

    def remainder(self, number: int) -> FloatArray:
        """Find what one of the photos has beyond its person before its background, (S, S, 3)."""
        if number not in self._remainders:
            alpha = self.mattes[number][..., None]
            made = alpha * self.colours[number] + (1 - alpha) * self.background(number)
            shown = self.photos.shown[number][..., None]
            self._remainders[number] = np.asarray((self.photos.crops[number] - made) * shown, np.float32)
        return self._remainders[number]

    def loose_hair(self, number: int) -> LooseHair:
        """Where one of the photos shows hair: as it was parsed, or else by its colours."""
        if number not in self._loose_hair:
            self._loose_hair[number] = self._find_hair(number)
        return self._loose_hair[number]

    def _find_hair(self, number: int) -> LooseHair:
        photos, matte = self.photos, self.mattes[number]
        if self.label_maps is not None:
            return find_labelled_hair(
                self.label_maps[number], matte, photos.xy[number], self.model, self.settings.loose_hair
            )
        return find_loose_hair(
            photos.crops[number],
            matte,
            photos.xy[number],
            photos.visibility[number],
            self.model,
            self.settings,
        )

    @cached_property
    def solid(self) -> FloatArray:
        """(N, S, S) in [0, 1], the mattes without the person's edge and without hair over the shoulders."""
        over = np.stack([self.loose_hair(number).on_body for number in range(len(self.photos.crops))])
        return np.asarray(self.photos.solid * (1 - over), np.float32)

    def space(self, number: int) -> PhotoSpace:
        """Where in space each place of one of the photos is."""
        if number not in self._spaces:
            photos, matte, xy = self.photos, self.mattes[number], self.photos.xy[number]
            hair = self.loose_hair(number)
            vertices = photos.posed.haired[number]
            head = photos.heads[number]
            parsed, ears = self._parsed(number), self._ears(number)
            self._spaces[number] = measure_space(
                head, vertices, xy, matte, hair, parsed, ears, self.model, self.settings
            )
        return self._spaces[number]

    def _parsed(self, number: int) -> FloatArray | None:
        """Hair and clothes (P, P, 2) of one of the photos, in [0, 1], if it was parsed."""
        if self.label_maps is None:
            return None
        found = self.label_maps[number]
        kinds = (FaceLabel.HAIR, FaceLabel.CLOTHES)
        return np.stack([region_mask(found, kind, size=len(found)) for kind in kinds], axis=-1)

    def _ears(self, number: int) -> FloatArray | None:
        """Ears, and what hides ears, (P, P, 2) of one of the photos, in [0, 1], if it was parsed."""
        if self.label_maps is None:
            return None
        found = self.label_maps[number]
        kinds = (FaceLabel.EARS,), _COVERS
        return np.stack([region_mask(found, *kind, size=len(found)) for kind in kinds], axis=-1)


_kept: WeakKeyDictionary[References, dict[object, PreparedPhotos]] = WeakKeyDictionary()
"""The last preparations of references, which are the same as long as the references are."""


def prepare_photos(
    references: References, size: int, model: HeadModel, settings: WarpSettings, *, bare_eyes: bool
) -> PreparedPhotos:
    """Prepare the photos of references for pictures of a size, or give what was prepared before.

    Parameters
    ----------
    references
        The person's analysed photos, which do not change: their arrays are read-only.
    size
        Height of the picture in pixels.
    model
        The head model.
    settings
        Those of photos, registration, glasses, backgrounds and places.
    bare_eyes
        Whether the references' own glasses are left out in any case; else most references decide.
    """
    shrinks = references.crops.shape[1] > settings.photos.shrink_from * size
    key = (size if shrinks else None, model, settings, bare_eyes)
    known = _kept.setdefault(references, {})
    if key not in known:
        cleaned = clean_photos(references, size, model, settings)
        posed = pose_heads(references.geometries, cleaned.mattes, model, settings)
        photos = register_photos(cleaned, posed, references, model, settings.registration)
        if references.label_maps is not None:
            photos = leave_out_covered(photos, references.label_maps, model, settings)
        photos, glasses = settle_glasses(photos, model, settings, bare_eyes=bare_eyes)
        prepared = PreparedPhotos(photos, glasses, references.label_maps, model, settings)
        while len(known) >= _MOST_KEPT:
            known.pop(next(iter(known)), None)
        known[key] = prepared
        return prepared
    return known[key]
