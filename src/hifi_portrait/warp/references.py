"""The references of a target, read step by step: cleaned, posed, registered, chosen, lit, weighed."""

from __future__ import annotations

import numpy as np

from hifi_portrait.faces.foreground import estimate_foreground
from hifi_portrait.head.arrays import ByteArray, FloatArray
from hifi_portrait.head.geometry import HeadGeometry
from hifi_portrait.head.model import HeadModel
from hifi_portrait.person.references import References
from hifi_portrait.warp.background import background_of
from hifi_portrait.warp.choose import choose_references
from hifi_portrait.warp.glasses.settle import settle_glasses
from hifi_portrait.warp.hair.shell import pose_heads
from hifi_portrait.warp.light import compare_light
from hifi_portrait.warp.photos import clean_photos
from hifi_portrait.warp.registration import register_photos
from hifi_portrait.warp.settings import WarpSettings
from hifi_portrait.warp.sources import Sources
from hifi_portrait.warp.weights import weigh_references


def read_references(
    references: References,
    target: HeadGeometry,
    size: int,
    model: HeadModel,
    settings: WarpSettings,
    *,
    bare_eyes: bool = False,
) -> Sources:
    """Read references for a picture of a target.

    Parameters
    ----------
    references
        The person's analysed photos.
    target
        What is drawn.
    size
        Height of the picture in pixels.
    model
        The head model.
    settings
        Those of photos, registration, glasses, light and weights.
    bare_eyes
        Whether the references' own glasses are left out in any case; else most references decide. Where
        they are left out, they are removed from the photos.
    """
    cleaned = clean_photos(references, size, settings.photos)
    posed = pose_heads(references.geometries, cleaned.mattes, model, settings)
    photos = register_photos(cleaned, posed, references, model, settings.registration)
    photos, glasses = settle_glasses(photos, model, settings, bare_eyes=bare_eyes)
    choice = choose_references(photos, glasses, target, model, settings.weights)
    gains, likeness = compare_light(photos, choice, model, settings)
    gains = gains / gains[choice.main]  # the one that decides is shown as it is
    weights = weigh_references(photos, choice, likeness, glasses, target, model, settings)
    main, mattes = choice.main, photos.mattes * photos.shown
    return Sources(
        crops=photos.crops,
        mattes=mattes,
        colours=_own_colours(photos.crops, photos.mattes),
        shown=photos.shown,
        solid=photos.solid,
        xy=photos.xy,
        tables=photos.tables,
        landmarks=photos.landmarks,
        heads=photos.heads,
        gains=gains,
        weights=weights.on_vertices,
        mouth_weights=weights.on_mouth,
        main=main,
        behind=background_of(
            photos.crops[main], mattes[main], photos.shown[main], photos.xy[main], model, settings.background
        ),
        dress=choice.dress,
        roll=float(np.radians(photos.heads[main].pose.roll - target.pose.roll)),
        hair=posed.hair[main],
        painted_eyes=weights.painted_eyes,
    )


def _own_colours(crops: ByteArray, mattes: FloatArray) -> ByteArray:
    """Colours (N, S, S, 3) that the person has in photos, without the background's at the person's edge."""
    pairs = zip(crops, mattes, strict=True)
    return np.stack([np.clip(estimate_foreground(*pair) + 0.5, 0, 255).astype(np.uint8) for pair in pairs])
