"""``hifi-portrait sheet``: many expressions and poses of one person on one picture."""

from __future__ import annotations

import csv
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hifi_portrait.cli import options
from hifi_portrait.cli.animate import Quality, check_look
from hifi_portrait.cli.console import emit, progress
from hifi_portrait.cli.groups import takes_groups
from hifi_portrait.cli.ignored_options import ignored_without_networks
from hifi_portrait.cli.inputs import (
    background_file,
    background_settings,
    make_target,
    portrait_record,
    read_background,
)
from hifi_portrait.cli.models import check_networks, load_networks
from hifi_portrait.cli.options import LookOptions, PoseOptions
from hifi_portrait.cli.outputs import check_files, parse_path, picture_path
from hifi_portrait.cli.references import References
from hifi_portrait.errors import TargetError
from hifi_portrait.io.names import printable

if TYPE_CHECKING:
    from hifi_portrait.person.target import Target

logger = logging.getLogger(__name__)

MOST_PICTURES = 400
"""Of one sheet."""

_ALL = "all"
"""Stands for every preset."""


@takes_groups
def sheet(
    *,
    photos: options.Photos,
    expressions: Annotated[
        str,
        typer.Option(
            metavar="WORDS",
            help="Expressions with commas between, each as of --expression (smile:0.5, smile+wink); all: "
            "every preset.",
        ),
    ] = _ALL,
    yaw: Annotated[
        str, typer.Option(metavar="DEGREES", help="Angles with commas between: a row for each.")
    ] = "0",
    pitch: Annotated[str, typer.Option(metavar="DEGREES", help="As --yaw; a row for each of both.")] = "0",
    targets: Annotated[
        Path | None,
        typer.Option(
            parser=parse_path,
            metavar="FILE",
            help="A table (.csv) of targets, one picture a row, in the place of all these: columns "
            "expression, yaw, pitch, roll, gaze_yaw, gaze_pitch, framing, glasses, hair, clothes, look and "
            "name.",
            show_default=False,
        ),
    ] = None,
    quality: Quality = "warp",
    size: Annotated[int, typer.Option(min=64, max=1024, help="Side of each picture.")] = 256,
    background: options.Background = "photo",
    face: options.Face = None,
    out: options.PictureOut = "sheet.png",
    private: options.Private = False,
    as_json: options.Json = False,
    look: options.LookOptions,
    networks: options.ModelOptions,
) -> None:
    """Draw one person with many expressions and poses on one sheet."""
    references = References.find(photos, recogniser=networks.recogniser, face=face, matting=networks.matting)
    path = picture_path(out, "sheet.png")
    given = [targets] if targets else []
    check_files([path], [*references.read, *networks.files, *given, *background_file(background)])
    behind = read_background(background, [path])
    check_look(quality, look)
    for line in ignored_without_networks(quality, networks, "", 0):
        logger.warning(line)
    if targets is not None:
        for option, value, usual in (
            ("expressions", expressions, _ALL),
            ("yaw", yaw, "0"),
            ("pitch", pitch, "0"),
        ):
            if value != usual:
                raise TargetError(f"--{option} and --targets contradict each other: give one of them")
        rows = read_targets(targets, look)
    else:
        rows = grid(expressions, read_angles("yaw", yaw), read_angles("pitch", pitch), look)
    count = sum(len(row) for _, row in rows)
    if count > MOST_PICTURES:
        raise TargetError(f"a sheet holds at most {MOST_PICTURES} pictures, but {count} were asked for")
    if quality == "model":
        check_networks(networks)
    identity = references.load()

    from hifi_portrait.animation.drawing import choose_look, make_drawer
    from hifi_portrait.cli.sheet import contact_sheet
    from hifi_portrait.io.provenance import save_picture

    pipe = load_networks(networks) if quality == "model" else None
    draw = make_drawer(quality, identity, size, background=behind, pipe=pipe)
    framing = identity.framing()
    wanted = [
        target if targets is not None else target.replace(framing=framing)
        for _, row in rows
        for target in row
    ]
    wanted = choose_look(identity, wanted)
    pictures = []
    with progress(quiet=as_json) as bar:
        task = bar.add_task("pictures", total=count)
        for target in wanted:
            pictures.append(draw(target))
            bar.advance(task)
    drawn = iter(pictures)
    labelled = [(label, [next(drawn) for _ in row]) for label, row in rows]
    settings: dict[str, Any] = {"quality": quality, "size": size, "pictures": count}
    settings |= background_settings(background, behind, private)
    record = portrait_record(references.files, identity, wanted[0], settings, networks, private)
    drawn_sheet = contact_sheet(labelled, cell=size, transparent=behind.is_transparent)
    save_picture(drawn_sheet, path, record)
    emit({"path": str(path), "pictures": count, "size": size}, str(path), as_json)


def grid(
    expressions: str, yaws: list[float], pitches: list[float], look: LookOptions
) -> list[tuple[str, list[Target]]]:
    """Make the rows of a sheet: one for each pose, with a picture for each expression.

    A single pose of many expressions is broken into rows of seven, each with its expressions' names above.
    """
    from hifi_portrait.person.presets import PRESETS

    words = (
        list(PRESETS) if expressions.strip() == _ALL else [each.strip() for each in expressions.split(",")]
    )
    if not all(words):
        raise TargetError(f"--expressions {expressions!r}: give expressions with commas between, or {_ALL}")
    made = {word: make_target(PoseOptions(expression=word), look) for word in words}
    rows = []
    for yaw in yaws:
        for pitch in pitches:
            for at in range(0, len(words), _COLUMNS):
                part = words[at : at + _COLUMNS]
                where = f"yaw {yaw:g}, pitch {pitch:g}: " if len(yaws) * len(pitches) > 1 else ""
                row = [made[word].replace(pose={"yaw": yaw, "pitch": pitch}) for word in part]
                rows.append((where + ", ".join(part), row))
    return rows


_COLUMNS = 7
"""Pictures in a row."""


def read_angles(name: str, text: str) -> list[float]:
    """Read angles with commas between.

    Raises
    ------
    TargetError
        One is no number.
    """
    try:
        return [float(each) for each in text.split(",")]
    except ValueError:
        raise TargetError(f"--{name} {text!r}: give degrees with commas between, such as -30,0,30") from None


_NUMBERS = ("yaw", "pitch", "roll", "gaze_yaw", "gaze_pitch")
_WORDS = ("expression", "framing", "glasses", "hair", "clothes", "look", "name")


def read_targets(path: Path, look: LookOptions) -> list[tuple[str, list[Target]]]:
    """Read a table of targets, one a row; empty cells have their defaults.

    Raises
    ------
    TargetError
        The file is no such table, or a cell cannot be read; the message names line and column.
    """
    place = printable(path)
    if not path.is_file():
        raise TargetError(f"--targets {place} is no file: give a table of targets, as .csv")
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            names = [name.strip().lower() for name in reader.fieldnames or ()]
            lines = [dict(zip(names, row.values(), strict=False)) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TargetError(f"--targets {place} cannot be read as a table: {error}") from error
    unknown = [name for name in names if name not in (*_NUMBERS, *_WORDS)]
    if unknown or not names:
        known = ", ".join((*_NUMBERS, *_WORDS))
        raise TargetError(f"--targets {place}: unknown column {(unknown or [''])[0]!r}: columns are {known}")
    if not lines:
        raise TargetError(f"--targets {place} has no rows below its header")
    made = []
    for number, cells in enumerate(lines, 2):
        filled = {
            name: cell.strip() for name, cell in cells.items() if isinstance(cell, str) and cell.strip()
        }
        try:
            made.append((filled.get("name", str(number - 1)), _target_of(filled, look)))
        except (TargetError, ValueError) as error:
            raise TargetError(f"--targets {place}, line {number}: {error}") from error
    rows = [made[at : at + _COLUMNS] for at in range(0, len(made), _COLUMNS)]
    return [(", ".join(name for name, _ in row), [target for _, target in row]) for row in rows]


def _target_of(cells: dict[str, str], look: LookOptions) -> Target:
    numbers = {name: float(cells[name]) for name in _NUMBERS if name in cells}
    pose = PoseOptions(
        expression=cells.get("expression"),
        yaw=numbers.get("yaw"),
        pitch=numbers.get("pitch"),
        roll=numbers.get("roll"),
        framing=cells.get("framing"),
    )
    wear = LookOptions(
        glasses=cells.get("glasses", look.glasses),
        hair=cells.get("hair", look.hair),
        clothes=cells.get("clothes", look.clothes),
        look=int(cells["look"]) if "look" in cells else look.look,
    )
    target = make_target(pose, wear)
    if "gaze_yaw" in numbers or "gaze_pitch" in numbers:
        target = target.look_at_camera(numbers.get("gaze_yaw", 0.0), numbers.get("gaze_pitch", 0.0))
    return target
