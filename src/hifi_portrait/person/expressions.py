"""Expressions as they are asked for: presets and coefficients by name, with strengths and in mixes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypeAlias

import numpy as np

from hifi_portrait.errors import TargetError
from hifi_portrait.head.arrays import Array
from hifi_portrait.head.geometry import EXPRESSION_NAMES
from hifi_portrait.head.numerics import as_number
from hifi_portrait.person.presets import PRESETS

ExpressionLike: TypeAlias = str | Mapping[str, float] | Sequence[Any] | Array
"""Words such as "smile", "smile:0.5" or "smile+wink"; ARKit coefficients by name (the rest 0), also as
MediaPipe lists them, with ``category_name`` and ``score``; or all 52 in ``EXPRESSION_NAMES``' order."""

ExpressionParts: TypeAlias = tuple[tuple[str, float], ...]
"""What an expression was mixed of: presets with their strengths, and coefficients with their values."""


MAX_COEFFICIENT = 2.0
"""Largest expression coefficient: 1 is a usual face's most, and beyond it faces exaggerate.

The head model raises brows and lowers the corners of the mouth by 5 to 7 mm at 1, which hardly shows.
"""
NEUTRAL = "_neutral"
"""What trackers list beside ARKit's coefficients; it says nothing of the face, and is skipped."""

ROUNDING = 1e-3
"""How far below 0 a coefficient may lie; it is then 0."""

_BY_LOWER_CASE = {name.lower(): name for name in EXPRESSION_NAMES}


_RANGE_ROUNDING = 1e-6
"""Fraction of a range by which a value may be beyond it: numbers are rounded on their way."""


def parse_expression(words: str) -> ExpressionParts:
    """Read an expression written in words.

    Parameters
    ----------
    words
        Parts joined by ``+``: a preset, ``smile``; a preset with a strength in [0, 1], ``smile:0.5``; or
        ARKit coefficients, ``jawOpen=0.4,mouthSmileLeft=0.8``.

    Raises
    ------
    TargetError
        A name is unknown, a number is none, or out of range.
    """
    parts: list[tuple[str, float]] = []
    for part in words.split("+"):
        if "=" in part:
            for each in part.split(","):
                name, _, value = each.partition("=")
                example = "name=number, such as jawOpen=0.4"
                parts.append((name.strip(), _read_number(value, words, each, example)))
        else:
            name, colon, value = part.partition(":")
            preset = normalise_name(name, "expression preset", tuple(PRESETS))
            example = "preset:strength, such as smile:0.5"
            parts.append((preset, _read_number(value, words, part, example) if colon else 1.0))
    return check_parts(parts)


def check_parts(parts: Sequence[tuple[str, float]]) -> ExpressionParts:
    """Check names and values of the parts of a mix.

    Raises
    ------
    TargetError
        A name is unknown, or a value is out of range.
    """
    checked = []
    for name, value in parts:
        if name in PRESETS:
            check_range(f"strength of {name}", value, 0.0, 1.0)
            checked.append((name, float(value)))
        elif name != NEUTRAL:
            coefficient = _find_coefficient(name)
            checked.append((coefficient, _read_coefficient(coefficient, value)))
    return tuple(checked)


def mix_parts(parts: ExpressionParts, presets: Mapping[str, Sequence[float]] = PRESETS) -> tuple[float, ...]:
    """Mix parts to 52 coefficients: of each, the largest that any part asks for.

    Parameters
    ----------
    parts
        As of `parse_expression`.
    presets
        52 coefficients of each preset: the general ones, or a person's own.
    """
    vectors = [[0.0] * len(EXPRESSION_NAMES)]
    for name, value in parts:
        if name in presets:
            vectors.append([value * coefficient for coefficient in presets[name]])
        else:
            vectors.append([value if name == other else 0.0 for other in EXPRESSION_NAMES])
    return tuple(max(values) for values in zip(*vectors, strict=True))


def read_expression(expression: ExpressionLike) -> tuple[float, ...]:
    """Give the 52 coefficients of an expression, however it is asked for.

    Raises
    ------
    TargetError
        A name is unknown, there are not 52 numbers, or one is out of range.
    """
    if isinstance(expression, str):
        return mix_parts(parse_expression(expression))
    expression = _by_name(expression)
    if isinstance(expression, Mapping):
        given = {_find_coefficient(name): value for name, value in expression.items() if name != NEUTRAL}
        values: list[Any] = [given.get(name, 0.0) for name in EXPRESSION_NAMES]
    else:
        try:
            values = list(expression)
        except TypeError:
            raise TargetError(
                f"an expression is a preset, coefficients by name or {len(EXPRESSION_NAMES)} numbers, but not"
                f" {expression!r}"
            ) from None
        if len(values) != len(EXPRESSION_NAMES):
            raise TargetError(f"an expression has {len(EXPRESSION_NAMES)} coefficients, got {len(values)}")
    return tuple(_read_coefficient(name, value) for name, value in zip(EXPRESSION_NAMES, values, strict=True))


def _by_name(expression: Any) -> Any:
    """Give a tracker's list of categories as coefficients by name, and anything else as it is.

    MediaPipe's tasks list objects with ``category_name`` and ``score``; on the web, and as JSON, they are
    mappings with ``categoryName`` or ``category_name``; others list pairs of name and value.
    """
    if not isinstance(expression, list | tuple) or not expression:
        return expression
    only = expression[0] if len(expression) == 1 else None
    if isinstance(only, list | tuple) and only and not isinstance(only[0], str):  # a list for each face
        return _by_name(only)
    pairs = []
    for each in expression:
        name, value = _field(each, "category_name", "categoryName"), _field(each, "score")
        if name is None and isinstance(each, list | tuple) and len(each) == 2:
            name, value = each
        if not isinstance(name, str) or value is None:
            return expression
        pairs.append((name, value))
    return dict(pairs)


def _field(category: Any, *names: str) -> Any:
    """Look up a field of a mapping or an object by the first of its names that is there; None if none is."""
    for name in names:
        value = category.get(name) if isinstance(category, Mapping) else getattr(category, name, None)
        if value is not None:
            return value
    return None


def _find_coefficient(name: Any) -> str:
    """Find the coefficient that a name means, as trackers write it: JawOpen, eyeBlink_L."""
    key = re.sub(r"_(l|r)$", lambda side: {"l": "left", "r": "right"}[side[1]], str(name).lower())
    if key not in _BY_LOWER_CASE:
        raise TargetError(describe_unknown("expression coefficient", str(name), EXPRESSION_NAMES))
    return _BY_LOWER_CASE[key]


def _read_coefficient(name: str, value: Any) -> float:
    """Read a coefficient, of which trackers' rounding may have made a little less than 0."""
    number = as_number(value)
    if number is not None and -ROUNDING <= number < 0:
        return 0.0
    check_range(name, value, 0.0, MAX_COEFFICIENT)
    return float(value)


def normalise_name(name: str, kind: str, known: Sequence[str]) -> str:
    """Give a known name, however it is written.

    Raises
    ------
    TargetError
        There is no such name.
    """
    if not isinstance(name, str):
        raise TargetError(f"a {kind} is named by a word, but not by {name!r}")
    key = name.strip().lower().replace(" ", "-").replace("_", "-")
    if key not in known:
        raise TargetError(describe_unknown(kind, name, known))
    return key


def describe_unknown(kind: str, name: str, known: Sequence[str]) -> str:
    """Say that a name is unknown, which known ones are like it, and which there are."""
    lowered = {item.lower(): item for item in known}
    close = [lowered[item] for item in get_close_matches(name.lower(), lowered, n=3)]
    hint = f" Did you mean {' or '.join(close)}?" if close else ""
    return f"unknown {kind} {name!r}.{hint} Known: {', '.join(known)}"


def check_range(name: str, value: Any, low: float, high: float, unit: str = "") -> None:
    """Check that a value lies between two, but for rounding.

    Raises
    ------
    TargetError
        It does not, or is no number.
    """
    number = float(value) if isinstance(value, float | np.floating) else as_number(value)
    if number is None:
        raise TargetError(f"{name} must be a number in [{low:g}, {high:g}]{unit}, but is {value!r}")
    slack = _RANGE_ROUNDING * (high - low)
    if not low - slack <= number <= high + slack:  # nor is NaN
        raise TargetError(f"{name} = {number:.10g} is out of range: it must lie in [{low:g}, {high:g}]{unit}")


def _read_number(value: str, words: str, part: str, example: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise TargetError(f"expression {words!r}: {part!r} is not {example}") from None
