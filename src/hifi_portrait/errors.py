"""The package's own exceptions. Each message says what was wrong, with what, and what to do about it."""


class HiFiPortraitError(Exception):
    """Base of every error that a user can cause and mend."""


class ImageError(HiFiPortraitError):
    """A file or array is not a picture that can be used: unreadable, truncated, too large, too small."""


class NoFaceError(HiFiPortraitError):
    """No usable face was found in a photo."""


class SeveralFacesError(HiFiPortraitError):
    """A photo shows several faces where exactly one was asked for."""


class IdentityError(HiFiPortraitError):
    """Photos do not make one identity, or a saved identity cannot be read."""


class TargetError(HiFiPortraitError):
    """A wished expression, head pose, gaze or framing is unknown or out of range."""


class ModelError(HiFiPortraitError):
    """A model, checkpoint or asset is missing, damaged, or of another kind than asked for."""


class DatasetError(HiFiPortraitError):
    """A data set on disk is missing, damaged, or of another version."""


class RecipeError(HiFiPortraitError):
    """A training recipe has an unknown key, a wrong type or a value out of range."""
