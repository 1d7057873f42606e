"""The references of a target, read step by step: cleaned, posed, registered, chosen, lit, weighed."""

from __future__ import annotations

from hifi_portrait.head.arrays import FloatArray
from hifi_portrait.head.geometry import HeadGeometry
from hifi_portrait.head.model import HeadModel
from hifi_portrait.person.references import References
from hifi_portrait.warp.choose import choose_references
from hifi_portrait.warp.light import compare_light
from hifi_portrait.warp.prepared import prepare_photos
from hifi_portrait.warp.settings import WarpSettings
from hifi_portrait.warp.sources import Sources
from hifi_portrait.warp.weights import weigh_references
from hifi_portrait.warp.widen import margin_of, widen


def read_references(
    references: References,
    target: HeadGeometry,
    size: int,
    model: HeadModel,
    settings: WarpSettings,
    *,
    bare_eyes: bool = False,
    look: int | None = None,
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
    look
        Number of the reference that decides; the nearest in pose if not given.

    Raises
    ------
    TargetError
        There is no reference of that number.
    """
    margin, side = margin_of(references), references.crops.shape[1]
    references = widen(references)
    wide_size = size * references.crops.shape[1] // side
    prepared = prepare_photos(references, wide_size, model, settings, bare_eyes=bare_eyes)
    photos, glasses = prepared.photos, prepared.glasses
    choice = choose_references(photos, glasses, target, model, settings.weights, look)
    gains, likeness = compare_light(photos, choice, model, settings)
    gains = gains / gains[choice.main]  # the one that decides is shown as it is
    weights = weigh_references(photos, choice, likeness, glasses, target, model, settings)
    main = choice.main
    return Sources(
        crops=photos.crops,
        mattes=prepared.mattes,
        colours=prepared.colours,
        shown=photos.shown,
        solid=prepared.solid,
        xy=photos.xy,
        tables=photos.tables,
        landmarks=photos.landmarks,
        heads=photos.heads,
        gains=gains,
        weights=weights.on_vertices,
        mouth_weights=weights.on_mouth,
        main=main,
        behind=_leave_margin(prepared.background(main), margin / (side + 2 * margin)),
        remainder=prepared.remainder(main),
        spaces={number: prepared.space(number) for number in {main, choice.dress}},
        dress=choice.dress,
        hair=photos.posed.hair[main],
        painted_eyes=weights.painted_eyes,
    )


def _leave_margin(picture: FloatArray, margin: float) -> FloatArray:
    """Give what a wide crop (S, S, 3) shows within its margin, a fraction of its side."""
    left = round(margin * len(picture))
    return picture[left : len(picture) - left, left : len(picture) - left]
