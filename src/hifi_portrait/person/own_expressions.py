"""A person's own way of a preset: where a photo shows it, a target that asks for it gets the photo's.

A preset is everybody's smile. Where somebody smiles in a photo, that smile has this person's cheeks, lids and
teeth; and a target that is near to it is drawn with the photo's own mouth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.geometry import EXPRESSION_NAMES, HeadGeometry
from hifi_portrait.head.model import BLINK
from hifi_portrait.person.expressions import MAX_COEFFICIENT, mix_parts
from hifi_portrait.person.presets import PRESETS
from hifi_portrait.person.target import Target

SHOWN_STRENGTH = (0.3, 0.5)
"""Strengths of a preset in a photo between which the photo's expression takes the preset's place.

The strength is the length of the photo's expression along the preset's, as a fraction of the preset's.
"""

SHOWN_LIKENESS = (0.72, 0.85)
"""Cosines between a photo's expression and a preset's between which the photo's takes the preset's place.

Of 51 people who were asked to smile, the median is 0.91; without, all but two are below 0.7.
"""

COMPARED = np.array([not name.startswith("eyeSquint") for name in EXPRESSION_NAMES])
"""Which of the 52 coefficients are compared: landmarks hardly show how far eyes squint."""

KEPT_STRENGTH: Mapping[str, tuple[float, float]] = {
    "smile": (0.7, 1.6),
    "slight-smile": (0.6, 0.85),
    "laugh": (1.2, 1.6),
}
"""Strengths beyond which a photo's expression is made stronger or weaker, to be what its name says."""

USUAL_STRENGTH = (0.8, 1.3)
"""The same of the other presets."""

MOST_BLINK = 0.4
"""How far a photo's lids may be closed, at most, where the preset leaves them open."""


def use_own_expressions(target: Target, heads: Sequence[HeadGeometry]) -> Target:
    """Make the target in which presets are the person's own, where photos show them.

    Parameters
    ----------
    target
        As it was asked for. Coefficients that were given as numbers stay.
    heads
        The person's fitted heads.
    """
    if not target.expression_parts:
        return target
    own = own_presets(heads, [name for name, _ in target.expression_parts if name in PRESETS])
    return target.replace(expression=mix_parts(target.expression_parts, {**PRESETS, **own}))


def own_presets(heads: Sequence[HeadGeometry], names: Sequence[str]) -> dict[str, tuple[float, ...]]:
    """Give 52 coefficients of each preset in ``names`` as N heads show it, or the general ones."""
    shown = np.stack([np.asarray(head.expression, np.float64) for head in heads])
    return {name: tuple(_own_preset(name, np.array(PRESETS[name]), shown).tolist()) for name in names}


def _own_preset(name: str, preset: Array, shown: Array) -> FloatArray:
    """Give a preset (52,) as that of N expressions (N, 52) has it that shows it best, so far as it does."""
    length = float(np.linalg.norm(preset[COMPARED]))
    if length == 0:
        return np.asarray(preset, np.float64)
    along = shown[:, COMPARED] @ preset[COMPARED] / length
    strength = along / length
    likeness = along / np.maximum(np.linalg.norm(shown[:, COMPARED], axis=1), 1e-9)
    fraction = _ramp(strength, *SHOWN_STRENGTH) * _ramp(likeness, *SHOWN_LIKENESS)
    best = int((fraction * likeness).argmax())
    if fraction[best] == 0:
        return np.asarray(preset, np.float64)
    least, most = KEPT_STRENGTH.get(name, USUAL_STRENGTH)
    own = shown[best] * np.clip(1, least / strength[best], most / strength[best])
    own[BLINK] = np.minimum(own[BLINK], np.maximum(MOST_BLINK, preset[BLINK]))
    mixed = preset + fraction[best] * (np.clip(own, 0, MAX_COEFFICIENT) - preset)
    return np.asarray(mixed, np.float64)


def _ramp(values: Array, low: float, high: float) -> Array:
    return np.asarray(np.clip((values - low) / (high - low), 0, 1))
