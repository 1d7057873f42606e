"""What is known of a person, `Identity` with its `References`, and what is asked of a portrait, `Target`."""

from typing import TYPE_CHECKING

from hifi_portrait.lazy import lazy_names

if TYPE_CHECKING:
    from hifi_portrait.person.identity import Identity
    from hifi_portrait.person.references import References
    from hifi_portrait.person.target import Framing, Target
else:
    __getattr__ = lazy_names(
        __name__,
        {
            "identity": ("Identity",),
            "references": ("References",),
            "target": ("Framing", "Target"),
        },
    )

__all__ = ["Framing", "Identity", "References", "Target"]
