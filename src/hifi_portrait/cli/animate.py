"""``hifi-portrait animate``: a video of a person that moves as a clip, a table, or by itself."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from hifi_portrait.cli import options
from hifi_portrait.cli.console import EXIT_INTERRUPTED, emit, progress
from hifi_portrait.cli.driving import IDLE, MOST_RATE, DriveOptions, check_drive, read_drive
from hifi_portrait.cli.groups import given_options, takes_groups
from hifi_portrait.cli.ignored_options import ignored_by_motion, ignored_without_networks
from hifi_portrait.cli.inputs import (
    background_file,
    background_settings,
    frame,
    make_target,
    portrait_record,
    read_background,
)
from hifi_portrait.cli.models import check_networks, load_networks
from hifi_portrait.cli.outputs import MOST_RATES, check_files, motion_path, video_path
from hifi_portrait.cli.references import References
from hifi_portrait.errors import MotionError, OutputError, TargetError
from hifi_portrait.io.names import printable

if TYPE_CHECKING:
    from rich.progress import Progress

    from hifi_portrait.motion import Motion
    from hifi_portrait.person.background import Background
    from hifi_portrait.person.identity import Identity

logger = logging.getLogger(__name__)

Quality = Annotated[
    Literal["head", "warp", "model"],
    typer.Option(
        help="How each picture is drawn: head, the photos baked onto a head once, in no time; warp, the "
        "photos' own pixels, half a second each; model, the networks over the warp, seconds each."
    ),
]


@takes_groups
def animate(
    *,
    photos: options.Photos,
    quality: Quality = "warp",
    prompt: Annotated[str, typer.Option(help="With --quality model: what else the pictures show.")] = "",
    seed: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Of the noise, and of an idle motion.")] = 0,
    size: options.Size = 512,
    background: options.Background = "photo",
    sound: Annotated[bool, typer.Option("--sound/--no-sound", help="Keep the clip's sound.")] = True,
    face: options.Face = None,
    out: Annotated[
        str,
        typer.Option(
            metavar="FILE",
            help="The video to write, as .mp4, .webm, .gif or .webp; or a folder to write it into.",
        ),
    ] = "animation.mp4",
    private: options.Private = False,
    as_json: options.Json = False,
    driving: DriveOptions,
    pose: options.PoseOptions,
    look: options.LookOptions,
    networks: options.ModelOptions,
) -> None:
    """Make a video of one person that moves as a clip does, or by itself.

    What is finished is kept beside the video: called again after an interruption, it goes on from there.
    """
    started = time.perf_counter()
    references = References.find(photos, recogniser=networks.recogniser, face=face, matting=networks.matting)
    path = video_path(out)
    saved_motion = motion_path(driving.save_motion) if driving.save_motion is not None else None
    read = [*references.read, *pose.files, *networks.files, *driving.files, *background_file(background)]
    check_files([path], read)
    if saved_motion is not None:
        check_files([saved_motion], [*read, path], option="--save-motion")
    check_drive(driving)
    most_rate = _check_rate(driving.rate, path)
    behind = _read_opaque_background(background)
    check_look(quality, look)
    base = make_target(pose, look).with_prompt(prompt)
    for line in [
        *ignored_by_motion(driving, pose),
        *ignored_without_networks(quality, networks, prompt, 0 if driving.drive == IDLE else seed),
    ]:
        logger.warning(line)
    if quality == "model":
        check_networks(networks)
    identity = references.load()
    base = frame(base, pose, identity)

    from hifi_portrait.animation.drawing import choose_look, make_drawer
    from hifi_portrait.animation.video import animate as write_video
    from hifi_portrait.io.provenance import file_sha256

    with progress(quiet=as_json) as bar:
        motion, rate = _read_motion(driving, identity, seed, most_rate, bar)
        if saved_motion is not None:
            motion.save(saved_motion)
        is_relative = driving.relative or driving.drive == IDLE
        targets = motion.targets(base, parts=driving.chosen_parts, relative=is_relative)
        targets = choose_look(identity, targets)
        settings: dict[str, Any] = {"prompt": prompt} if quality == "model" else {}
        pipe = load_networks(networks) if quality == "model" else None
        draw = make_drawer(
            quality, identity, size, background=behind, pipe=pipe, settings=settings, seed=seed
        )
        drawn_by = {
            "quality": quality,
            "size": size,
            "background": [background, *(file_sha256(file) for file in background_file(background))],
            **({"seed": seed, "networks": given_options(networks)} if quality == "model" else {}),
            **settings,
        }
        told = {"quality": quality, "size": size, **background_settings(background, behind, private)}
        told |= settings | ({"seed": seed} if quality == "model" else {})
        record = portrait_record(references.files, identity, targets[0], told, networks, private)
        drive = Path(driving.drive).name if driving.files else driving.drive
        record["motion"] = {"drive": "file" if driving.files and private else drive}
        task = bar.add_task("frames", total=len(targets))
        result = write_video(
            identity,
            targets,
            path,
            draw=draw,
            drawn_by=drawn_by,
            rate=rate,
            sound_of=_find_sound(driving, path) if sound else None,
            record=record,
            on_frame=lambda done: bar.update(task, completed=done),
        )
    document = {
        "path": str(path),
        "frames": result.frames,
        "wanted": result.wanted,
        "reused": result.reused,
        "rate": rate,
        "size": [size, size],
        "notices": [*identity.notices, *motion.notices],
        "dropped": [printable(Path(photo.source).name) for photo in identity.dropped],
        "seconds": round(time.perf_counter() - started, 3),
    }
    lines = [*motion.notices, f"{path}: {result.frames} frames, {result.frames / rate:.2f} s"]
    emit(document, "\n".join(lines), as_json)
    if not result.is_complete:
        raise typer.Exit(EXIT_INTERRUPTED)


def _check_rate(rate: float | None, path: Path) -> float:
    """Check that a file of this kind has as many frames a second as requested; gives the most it has."""
    most = MOST_RATES.get(path.suffix.lower(), MOST_RATE)
    if rate is not None and rate > most:
        raise MotionError(
            f"--rate {rate:g}: a {path.suffix} has at most {most:g} frames a second: give a"
            " lower rate, or write an .mp4"
        )
    return most


def _read_opaque_background(given: str) -> Background:
    """Read what is to be behind the person in a video."""
    behind = read_background(given, [])
    if behind.is_transparent:
        raise OutputError("--background transparent: videos have no alpha: give a colour, such as #00ff00")
    return behind


def _read_motion(
    driving: DriveOptions, identity: Identity, seed: int, most_rate: float, bar: Progress
) -> tuple[Motion, float]:
    """Read the motion and its frames a second; while a video is followed, a bar shows how far it is."""
    from hifi_portrait.io.video import read_info

    duration = read_info(driving.files[0]).duration if driving.is_video else None
    if duration is None:
        return read_drive(driving, identity, seed, lambda _: None, most_rate)
    task = bar.add_task("seconds tracked", total=round(duration))
    motion, rate = read_drive(
        driving, identity, seed, lambda second: bar.update(task, completed=int(second)), most_rate
    )
    bar.remove_task(task)
    return motion, rate


def check_look(quality: str, look: options.LookOptions) -> None:
    """Check that the way to draw can do what is asked for of hair, clothes and glasses.

    Raises
    ------
    TargetError
        A baked head is to have others than those of the photos.
    """
    if quality == "head" and (look.glasses, look.hair, look.clothes) != (None, None, None):
        raise TargetError(
            "--quality head keeps hair, clothes and glasses as they are in the photos: leave --hair,"
            " --clothes and --glasses out, or give --quality warp"
        )


def _find_sound(driving: DriveOptions, out: Path) -> Path | None:
    """Find the clip whose sound goes along, where it has any and the video can hold it."""
    if not driving.is_video or out.suffix.lower() not in (".mp4", ".webm"):
        return None
    return Path(driving.drive)
