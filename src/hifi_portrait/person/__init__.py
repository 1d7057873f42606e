"""What is known of a person, `Identity` with its `References`, and what is asked of a portrait, `Target`."""

from hifi_portrait.person.identity import Identity
from hifi_portrait.person.references import References
from hifi_portrait.person.target import Framing, Target

__all__ = ["Framing", "Identity", "References", "Target"]
