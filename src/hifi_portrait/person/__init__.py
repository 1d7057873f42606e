"""The two values that users hold: a person's identity, and the target of a portrait."""

from hifi_portrait.person.identity import Identity
from hifi_portrait.person.target import Framing, Target

__all__ = ["Framing", "Identity", "Target"]
