"""``hifi-portrait dataset``: from a heap of photos to an ID data set, and what is done with one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import typer

from hifi_portrait.cli import options
from hifi_portrait.cli.console import emit
from hifi_portrait.cli.groups import takes_groups
from hifi_portrait.cli.outputs import check_folder, parse_path
from hifi_portrait.errors import DatasetError

if TYPE_CHECKING:
    from hifi_portrait.dataset.curate import BuildOptions, BuildResult
    from hifi_portrait.dataset.workers import Engine

_CORES = os.cpu_count() or 1

Sources = Annotated[
    list[Path],
    typer.Argument(
        parser=parse_path,
        metavar="SOURCE...",
        help="Folders of photos and videos, such files, or .txt files that list them, one a line.",
    ),
]
MoreSources = Annotated[
    list[Path] | None,
    typer.Argument(
        parser=parse_path,
        metavar="SOURCE...",
        help="Folders of photos, photos, or .txt files that list photos, one a line.",
        show_default=False,
    ),
]
DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Look at 50 photos, say what would be done and how long, and end."),
]
DataSet = Annotated[Path, typer.Argument(parser=parse_path, metavar="DIR", help="The data set's folder.")]


@dataclass(frozen=True)
class WorkerOptions:
    """Who does the work."""

    PANEL: ClassVar[str] = "Who does the work"

    workers: Annotated[
        int | None,
        typer.Option(
            min=1, help="Processes or actors that read and write photos.", show_default="one a core"
        ),
    ] = None
    engine: Annotated[
        Literal["local", "ray"],
        typer.Option(help='"local": processes of this machine. "ray": actors on a Ray cluster.'),
    ] = "local"
    address: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Head of the Ray cluster; auto: the one of this machine.")
    ] = "auto"

    def start(self) -> int | Engine:
        """Give them as the library takes them."""
        if self.engine == "local":
            if self.address != "auto":
                raise typer.BadParameter("--address: is of a Ray cluster; give --engine ray with it")
            return self.workers or _CORES
        from hifi_portrait.dataset.ray_workers import RayActors

        return RayActors(self.address, self.workers)


@dataclass(frozen=True)
class GatheringOptions:
    """How photos become a data set."""

    PANEL: ClassVar[str] = "How it is built"

    sources: Annotated[
        Path | None,
        typer.Option(
            parser=parse_path,
            metavar="FILE",
            help="TOML file with licence and consent of each source.",
            show_default="sources.toml in each source",
        ),
    ] = None
    names: Annotated[
        Literal["folders", "none"] | None,
        typer.Option(
            help='"folders": a folder is a person, mostly rightly. "none": nothing says who is who.',
            show_default="folders; when photos are added, as the set was built",
        ),
    ] = None
    purity: Annotated[
        Literal["strict", "balanced"] | None,
        typer.Option(
            help='"strict" leaves out whom it is not sure of; "balanced" finds more photos of each person.',
            show_default="strict; when photos are added, as the set was built",
        ),
    ] = None
    min_photos: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="People with fewer photos are left out.",
            show_default="2; when photos are added, as the set was built",
        ),
    ] = None
    recogniser: Annotated[
        Path | None,
        typer.Option(
            parser=parse_path,
            metavar="FILE",
            help="An ArcFace network in ONNX, in place of the default recogniser.",
        ),
    ] = None
    captioner: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            help="Folder or hub id of an image-to-text model that writes the captions.",
            show_default="captions of what was measured",
        ),
    ] = None
    calibration: Annotated[
        Path | None,
        typer.Option(
            parser=parse_path,
            metavar="FILE",
            help="The recogniser's thresholds, as python -m hifi_portrait.dataset.calibrate makes them.",
        ),
    ] = None
    exclude: Annotated[
        list[Path],
        typer.Option(
            parser=parse_path,
            metavar="DIR",
            help="Analysed data set whose people are kept out; can be repeated.",
        ),
    ] = ()  # type: ignore[assignment]  # typer takes no other default of a list's

    def build_options(self, data: Path | None = None) -> BuildOptions:
        """Give them as the library takes them; what was not given is as ``data`` was built, or default."""
        from hifi_portrait.dataset.curate import BuildOptions, kept_options
        from hifi_portrait.dataset.curate.calibration import Calibration

        exclude = tuple(self.exclude)
        if data is None:
            options = BuildOptions(recogniser=self.recogniser, exclude=exclude, captioner=self.captioner)
        else:
            options = kept_options(
                data, recogniser=self.recogniser, exclude=exclude, captioner=self.captioner
            )
        calibration = options.calibration if self.calibration is None else Calibration.load(self.calibration)
        return replace(
            options,
            names=self.names or options.names,
            min_photos=self.min_photos or options.min_photos,
            calibration=calibration,
            grouping=replace(options.grouping, purity=self.purity or options.grouping.purity),
        )


@takes_groups
def build(
    given: Sources,
    out: options.DataSetOut,
    how: GatheringOptions,
    who: WorkerOptions,
    dry_run: DryRun = False,
    as_json: options.Json = False,
) -> None:
    """Make an ID data set of photos: faces found, copies and poor photos left out, people told apart."""
    check_folder(out, given)
    if dry_run:
        _tell_estimate(given, how, None, who, as_json)
        return
    from hifi_portrait.dataset.curate import build_dataset

    result = build_dataset(given, out, **_arguments(how, None, who, as_json))
    _tell(out, result, as_json)


@takes_groups
def add(
    data: DataSet,
    how: GatheringOptions,
    who: WorkerOptions,
    given: MoreSources = None,
    retry_rejected: Annotated[
        list[str] | None,
        typer.Option(
            metavar="REASON",
            help='Read files again that were rejected, such as "unreadable" or "crashed_reader"; can be'
            " repeated.",
        ),
    ] = None,
    dry_run: DryRun = False,
    as_json: options.Json = False,
) -> None:
    """Add photos to a data set. People keep their ids and splits."""
    if not given and not retry_rejected:
        raise typer.BadParameter("nothing to add: give sources, or --retry-rejected REASON")
    if dry_run:
        _tell_estimate(given or [], how, data, who, as_json)
        return
    from hifi_portrait.dataset.curate import add_to_dataset

    arguments = _arguments(how, data, who, as_json)
    result = add_to_dataset(data, given or (), retry_rejected=retry_rejected or (), **arguments)
    _tell(data, result, as_json)


def report(data: DataSet, as_json: options.Json = False) -> None:
    """Write a page that shows groups of faces, what was left out and why, and how measures are spread."""
    from hifi_portrait.dataset.curate import write_report

    page = write_report(data)
    emit({"path": str(page)}, str(page), as_json)


def forget(
    data: DataSet,
    photo: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="Name of a photo as it was given, or its SHA-256."),
    ] = None,
    person: Annotated[list[str] | None, typer.Option(metavar="ID", help="Identity id of a person.")] = None,
    source: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Name of a source.")] = None,
    prepared: Annotated[
        list[Path] | None,
        typer.Option(
            parser=parse_path,
            metavar="DIR",
            help="Folder that `hifi-portrait prepare` made of the set: it is deleted.",
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Take photos, people or sources out for good, with all that was made of them."""
    if not (photo or person or source):
        raise typer.BadParameter("nothing to forget: give --photo, --person or --source")
    from hifi_portrait.dataset.curate import forget as forget_in
    from hifi_portrait.dataset.curate.forgetting import delete_prepared

    removed = forget_in(data, photos=photo or (), people=person or (), sources=source or ())
    for folder in prepared or ():
        delete_prepared(folder)
    emit(
        {"path": str(data), "photos": removed.photos, "files": removed.files},
        f"{data}: {removed.files} files were taken out, {removed.photos} photos of the set among them."
        " Folders that `hifi-portrait prepare` made of it still hold copies, unless given as --prepared."
        " Models that were trained on them are not changed.",
        as_json,
    )


def check(
    data: DataSet,
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="Rewrite a set of an older version as the newest one.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Check that tables, offsets, hashes and pictures of a data set agree."""
    from hifi_portrait.dataset.curate import check_dataset, upgrade_dataset

    upgraded = upgrade_dataset(data) if upgrade else False
    wrong = check_dataset(data)
    if wrong:
        more = f", and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise DatasetError(f"{data}: {'; '.join(wrong[:5])}{more}")
    emit({"path": str(data), "upgraded": upgraded}, f"{data}: all is well", as_json)


def _arguments(how: GatheringOptions, data: Path | None, who: WorkerOptions, as_json: bool) -> dict[str, Any]:
    """Give what building and adding take alike."""
    return {
        "sources_file": how.sources,
        "options": how.build_options(data),
        "workers": who.start(),
        "progress": not as_json,
    }


def _tell_estimate(
    given: list[Path], how: GatheringOptions, data: Path | None, who: WorkerOptions, as_json: bool
) -> None:
    from hifi_portrait.dataset.curate import estimate_build

    found = estimate_build(given, sources_file=how.sources, options=how.build_options(data))
    workers = who.workers or _CORES
    minutes = found.seconds / workers / 60
    reasons = ", ".join(f"{name} {count}" for name, count in found.reasons.items()) or "none"
    videos = f" and {found.videos} videos, whose time is not estimated" if found.videos else ""
    text = (
        f"{found.photos} photos{videos}, {found.folders} folders with names. Of {found.looked_at} that were"
        f" looked at {found.used} are usable; left out: {reasons}. All photos take about"
        f" {minutes:.1f} minutes with {workers} workers, and {found.size / 2**20:.0f} MiB."
    )
    emit({**asdict(found), "reasons": dict(found.reasons), "workers": workers}, text, as_json)


def _tell(out: Path, result: BuildResult, as_json: bool) -> None:
    values: Mapping[str, Any] = {
        "path": str(out),
        "files": result.files,
        "used": result.used,
        "photos": result.photos,
        "people": result.identities,
        "rejected": dict(result.reasons),
    }
    reasons = ", ".join(f"{name} {count}" for name, count in result.reasons.items()) or "none"
    text = (
        f"{out}: {result.photos} photos of {result.identities} people, of {result.files} files;"
        f" left out: {reasons}"
    )
    emit(dict(values), text, as_json)
