"""What was drawn last of each person: another seed or prompt asks for the same head and warp again."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from hifi_portrait.person.identity import Identity
from hifi_portrait.person.target import Target

Drawn = TypeVar("Drawn")

_last: WeakKeyDictionary[Identity, tuple[Target, dict[Hashable, Any]]] = WeakKeyDictionary()
"""The last target of each person, whose photos do not change, with what was drawn of it."""


def draw_once(identity: Identity, target: Target, kind: Hashable, draw: Callable[[], Drawn]) -> Drawn:
    """Draw something of a person and target, or give it as it was drawn before.

    It is kept until another target is drawn of this person: at 1024 pixels, a head and its warp are about
    50 MB. Nobody may write into it.

    Parameters
    ----------
    identity, target
        What is drawn depends on them alone, and on ``kind``.
    kind
        What it is, and how large.
    draw
        Draws it.
    """
    known = _last.get(identity)
    if known is None or known[0] != target:
        known = _last[identity] = (target, {})
    if kind not in known[1]:
        known[1][kind] = draw()
    drawn: Drawn = known[1][kind]
    return drawn
