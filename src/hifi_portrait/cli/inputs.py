"""From command-line words to the library's objects: a target, a background; and a picture's record."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hifi_portrait.cli.options import LookOptions, ModelOptions, PoseOptions
from hifi_portrait.errors import ImageError, OutputError, TargetError
from hifi_portrait.io.names import JPEG_SUFFIXES, printable

if TYPE_CHECKING:
    from hifi_portrait.person.background import Background
    from hifi_portrait.person.identity import Identity
    from hifi_portrait.person.target import Framing, Target

FRAMINGS = {"portrait": 0.43, "close": 0.6, "wide": 0.3}
"""Words for framings -> height of the face as a fraction of the picture's."""


def parse_framing(word: str) -> Framing:
    """Read a framing: a word of `FRAMINGS`, or the face's height as a fraction of the picture's.

    Raises
    ------
    TargetError
        If it is neither, or out of range.
    """
    from hifi_portrait.person.target import Framing

    if word in FRAMINGS:
        return Framing(scale=FRAMINGS[word])
    try:
        return Framing(scale=float(word))
    except ValueError:
        raise TargetError(
            f"--framing {word!r}: give {', '.join(FRAMINGS)}, or a number such as 0.6"
        ) from None


def frame(target: Target, pose: PoseOptions, identity: Identity) -> Target:
    """Leave shoulders out that no photo shows, unless the options say something of the framing."""
    if pose.framing is not None or pose.like is not None:
        return target
    return target.replace(framing=identity.framing())


def make_target(pose: PoseOptions, look: LookOptions | None = None) -> Target:
    """Make the target that the options ask for; what `pose.like` shows holds where nothing else is given."""
    if pose.like is not None and pose.like.is_dir():
        raise ImageError(f"--like {printable(pose.like)} is a folder: give a picture")

    from hifi_portrait.head import HeadPose
    from hifi_portrait.person.target import Target

    if pose.like_face is not None and pose.like is None:
        raise TargetError("--like-face is for --like: give the photo, too")
    base = Target.from_photo(pose.like, face=pose.like_face) if pose.like else Target()
    look = look or LookOptions()
    target = base.replace(
        expression=base.expression if pose.expression is None else pose.expression,
        pose=HeadPose(
            yaw=base.pose.yaw if pose.yaw is None else pose.yaw,
            pitch=base.pose.pitch if pose.pitch is None else pose.pitch,
            roll=base.pose.roll if pose.roll is None else pose.roll,
        ),
        framing=base.framing if pose.framing is None else parse_framing(pose.framing),
        glasses=look.glasses,
        hair=look.hair,
        clothes=look.clothes,
        look=look.look,
    )
    return target if pose.gaze is None else target.look_at_camera(*pose.gaze)


def read_background(given: str, outputs: Sequence[Path]) -> Background:
    """Read what is to be behind the person, before anything is drawn.

    Raises
    ------
    TargetError, ImageError
        If it is unknown, or its picture cannot be read.
    OutputError
        If it is transparent and one of the outputs is a JPEG, which cannot be.
    """
    from hifi_portrait.person.background import Background

    background = Background.of(given)
    for path in outputs:
        if background.is_transparent and path.suffix.lower() in JPEG_SUFFIXES:
            raise OutputError(f"--out {printable(path)}: a JPEG has no alpha: name a .png or .webp")
    return background


def background_file(given: str) -> list[Path]:
    """Give the file that a background is read from, if it is one."""
    return [Path(given)] if os.path.isfile(given) else []  # which takes what is too long for a name


def background_settings(given: str, behind: Background, private: bool) -> dict[str, str]:
    """Name the background for a picture's record, without its folder; `private` leaves a file's name out."""
    if behind.kind == "photo":
        return {}
    if private and background_file(given):
        return {"background": "picture"}
    return {"background": Path(given).name}


def preview_record(picture: str, target: Target) -> dict[str, Any]:
    """Make the provenance record of a picture that no network drew; ``picture`` says what it is."""
    from hifi_portrait.io.provenance import versions

    return {"picture": picture, "target": target.to_dict(), "versions": versions(), "synthetic": True}


def portrait_record(
    files: Sequence[Path],
    identity: Identity,
    target: Target,
    settings: dict[str, Any],
    networks: ModelOptions,
    private: bool = False,
) -> dict[str, Any]:
    """Make the provenance record of a picture: by which weights, of whom, and what was requested.

    `private` leaves out the names and the hashes of the files.
    """
    from hifi_portrait.io.provenance import file_sha256, versions

    loras: list[dict[str, Any]] = [{"scale": scale} for _, scale in networks.loras]
    if not private:
        loras = [{"name": file.name, **lora} for (file, _), lora in zip(networks.loras, loras, strict=True)]
    given = {
        "references": [{"name": file.name, "sha256": file_sha256(file)} for file in files],
        "dropped": [Path(photo.source).name for photo in identity.dropped],
    }
    return {
        "model": Path(networks.model).name if networks.model else "bundled",
        **({"hifi": Path(networks.hifi).name} if networks.hifi else {}),
        **({"loras": loras} if loras else {}),
        "target": target.to_dict(),
        "settings": settings,
        **({} if private else given),
        "versions": versions(),
        "synthetic": True,
    }
