"""What each pixel of a portrait crop shows: the labels of face parsing."""

from __future__ import annotations

from enum import IntEnum


class FaceLabel(IntEnum):
    """What a pixel shows; the numbers are those of label maps and of the parsing network's outputs."""

    BACKGROUND = 0
    """Nothing of the person."""
    SKIN = 1
    """Skin of the face and of the bare scalp, with brows, lashes and stubble."""
    EARS = 2
    NECK = 3
    """Skin of the neck and of the body."""
    HAIR = 4
    """Hair of the head, with a scalp that is seen through it."""
    BEARD = 5
    """A grown beard or moustache."""
    EYES = 6
    """Eyeballs between the lids."""
    MOUTH = 7
    """Lips, and teeth and tongue between them."""
    CLOTHES = 8
    GLASSES = 9
    """Frames, and lenses that are too dark to see through; clear lenses are what is seen through them."""
    HEADWEAR = 10
    """Hats, caps, scarves and hoods on the head."""
    OCCLUDER = 11
    """What hides the person from the camera: a hand, a mask, a microphone, a scarf before the face."""


BARE_SKIN = (FaceLabel.SKIN, FaceLabel.EARS, FaceLabel.NECK)
"""Labels of skin without eyes, mouth and beard."""
