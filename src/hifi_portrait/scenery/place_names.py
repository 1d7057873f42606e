"""What captions call the places that panoramas show."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """Words for a place."""

    name: str
    """The place in a word or two, as the attribute ``place`` holds it."""
    phrases: tuple[str, ...]
    """Ways to say it at the end of a caption, each with its preposition."""
    light: str
    """Its light, in the words of the attribute ``light``."""
    weight: float = 1.0
    """How often it is chosen, relative to the others."""
    brightness: float = 1.0
    """Factor on its background: less at night, which panoramas are exposed for minutes to show."""


_DAYLIGHT, _SUN, _INDOOR = "soft daylight", "sunlight", "indoor light"
_FIELD_AT_NIGHT = Place(
    "field at night", ("in a field at night", "outdoors at night"), "night light", 0.6, 0.16
)
_STUDIO = Place("photo studio", ("in a photo studio", "in a studio"), "soft studio light", 0.7)
_MEADOW = Place("meadow at sunrise", ("in a meadow at sunrise", "outdoors at sunrise"), "sunrise light", 0.7)

PLACES: dict[str, Place] = {
    "blender_city": Place("city", ("in a city", "in front of tall buildings"), _DAYLIGHT, 0.8),
    "blender_courtyard": Place("courtyard", ("in a courtyard", "under a roof in a courtyard"), _DAYLIGHT),
    "blender_forest": Place("garden", ("in a garden", "on a path among trees"), _DAYLIGHT),
    "blender_interior": Place("hotel room", ("in a hotel room", "in a bedroom"), _INDOOR),
    "blender_night": _FIELD_AT_NIGHT,
    "blender_studio": _STUDIO,
    "blender_sunrise": _MEADOW,
    "blender_sunset": Place(
        "seaside at sunset", ("by the sea at sunset", "at the seaside at sunset"), "sunset light"
    ),
    "pmndrs_apartment": Place("apartment", ("in an apartment", "in a bright empty room"), _INDOOR),
    "pmndrs_bridge": Place(
        "glass bridge", ("on a glass bridge", "in a white corridor with windows"), _DAYLIGHT
    ),
    "pmndrs_city": Place("city", ("in a city", "downtown"), _DAYLIGHT, 0.8),
    "pmndrs_dawn": Place(
        "desert at dawn", ("in a desert at dawn", "among rocks at dawn"), "dawn light", 1.0, 0.75
    ),
    "pmndrs_esplanade": Place("shopping mall", ("in a shopping mall", "in a mall"), _INDOOR),
    "pmndrs_forest": Place("forest", ("in a forest", "in the woods"), _DAYLIGHT, 1.4),
    "pmndrs_hall": Place("hall", ("in a large hall", "in a white hall"), _INDOOR),
    "pmndrs_lab": Place("laboratory", ("in a laboratory", "in a green laboratory"), _INDOOR),
    "pmndrs_lobby": Place("lobby", ("in a lobby", "in a waiting room"), _INDOOR),
    "pmndrs_night": _FIELD_AT_NIGHT,
    "pmndrs_park": Place("park", ("in a park", "on a green lawn"), _SUN, 1.4),
    "pmndrs_sky": Place("cloudy sky", ("in front of a cloudy sky", "above the clouds"), _SUN),
    "pmndrs_studio": _STUDIO,
    "pmndrs_sunrise": _MEADOW,
    "pmndrs_sunset": Place(
        "city square at sunset", ("in a city square at sunset", "in an old city at sunset"), "sunset light"
    ),
    "pmndrs_venice": Place(
        "seaside at dusk", ("by the sea at dusk", "at the waterfront at dusk"), "dusk light", 1.0, 0.6
    ),
    "pmndrs_warehouse": Place("warehouse", ("in a warehouse", "in a concrete hall"), _INDOOR),
    "pmndrs_workshop": Place("workshop", ("in a workshop", "in a factory"), _INDOOR),
}
"""By the panorama's file name; ``scripts/fetch_environments.py`` names files so."""


def place_of(file_name: str) -> Place:
    """Words for the panorama of this name; an unknown one is called as its file is."""
    if file_name in PLACES:
        return PLACES[file_name]
    name = file_name.replace("_", " ").replace("-", " ").strip()
    article = "an" if name[:1].lower() in "aeiou" else "a"
    return Place(name, (f"in {article} {name}",), "natural light")
