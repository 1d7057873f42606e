"""The package's own exceptions. Each message says what was wrong, with what, and what to do about it."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec


class HiFiPortraitError(Exception):
    """Base of every error that a user can cause and mend."""


class ImageError(HiFiPortraitError):
    """A file or array is not a picture that can be used: unreadable, truncated, too large, too small."""


class VideoError(HiFiPortraitError):
    """A file is not a video that can be used: missing, empty, damaged, or without pictures."""


class NoFaceError(HiFiPortraitError):
    """No usable face was found in a photo."""


class SeveralFacesError(HiFiPortraitError):
    """A photo shows several faces where exactly one was asked for."""


class IdentityError(HiFiPortraitError):
    """Photos do not make one identity, or a saved identity cannot be read."""


class TargetError(HiFiPortraitError):
    """A requested expression, head pose, gaze or framing is unknown or out of range."""


class ArgumentError(HiFiPortraitError, ValueError):
    """An argument of a call is out of range, contradicts another, or is not for this model."""


class MotionError(HiFiPortraitError):
    """A motion, or the video or table that one is read from, is missing, damaged or shows no face."""


class ModelError(HiFiPortraitError):
    """A model, checkpoint or asset is missing, damaged, or of another kind than asked for."""


class OutputError(HiFiPortraitError):
    """A place to write to is an input, cannot be written to, has no room, or its name is no picture's."""


class DatasetError(HiFiPortraitError):
    """A data set on disk is missing, damaged, or of another version."""


class PipelineBusyError(HiFiPortraitError):
    """A call is to draw with parts with which another call is drawing."""


class RecipeError(HiFiPortraitError):
    """A training recipe has an unknown key, a wrong type or a value out of range."""


class MissingExtraError(HiFiPortraitError, ImportError):
    """A package that only some uses need, an extra of this one, is not installed."""


@contextmanager
def needs_extra(extra: str) -> Iterator[None]:
    """Import packages of an extra: what is missing becomes an error that says how to install it.

    Parameters
    ----------
    extra
        The extra of this package that brings what is imported inside, such as ``train``.

    Raises
    ------
    MissingExtraError
        If a module that is imported inside is not installed.

    Examples
    --------
    >>> with needs_extra("data"):
    ...     import pyarrow
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if str(error.name).split(".")[0] == __package__:
            raise  # a fault of this package, which no extra mends
        raise MissingExtraError(
            f"{error.name} is not installed: pip install 'hifi-portrait[{extra}]'", name=error.name
        ) from error


def find_installed(module: str) -> None:
    """Check that a module is installed, without importing it: that may take seconds.

    Raises
    ------
    ModuleNotFoundError
        If it is not.
    """
    if find_spec(module) is None:
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)
