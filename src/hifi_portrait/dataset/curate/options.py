"""What a data set is built by, and what its header keeps of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Literal

from hifi_portrait.dataset.curate.assemble import AssembleOptions, FitOptions
from hifi_portrait.dataset.curate.calibration import Calibration
from hifi_portrait.dataset.curate.captioner import captioner_name
from hifi_portrait.dataset.curate.duplicates import DuplicateOptions
from hifi_portrait.dataset.curate.grouping import GroupingOptions
from hifi_portrait.dataset.curate.quality import QualityOptions
from hifi_portrait.dataset.curate.state import State
from hifi_portrait.dataset.curate.tracks import TrackOptions
from hifi_portrait.dataset.curate.videos import VideoOptions
from hifi_portrait.errors import DatasetError
from hifi_portrait.io.names import printable


@dataclass(frozen=True, kw_only=True)
class BuildOptions:
    """What a data set is built by; a set that grows keeps what it was built by."""

    names: Literal["folders", "none"] = "folders"
    """Whether folders say who is in their photos, mostly rightly, or nothing does."""
    min_photos: int = 2
    """A person with fewer photos is left out."""
    recogniser: Path | None = None
    """ONNX file of an ArcFace network, which takes the place of the default recogniser."""
    captioner: str | None = None
    """Folder or hub id of the model that writes captions; None for captions of what was measured."""
    calibration: Calibration | None = None
    """The recogniser's thresholds, where they are not the package's."""
    exclude: tuple[Path, ...] = ()
    """Analysed data sets whose people are kept out."""
    grouping: GroupingOptions = field(default_factory=GroupingOptions)
    """How faces are put together."""
    quality: QualityOptions = field(default_factory=QualityOptions)
    """Which faces are too poor."""
    duplicates: DuplicateOptions = field(default_factory=DuplicateOptions)
    """Which photos are copies."""
    video: VideoOptions = field(default_factory=VideoOptions)
    """Which frames of videos are looked at."""
    tracks: TrackOptions = field(default_factory=TrackOptions)
    """Which of them are too much alike."""
    fit: FitOptions = field(default_factory=FitOptions)
    """Which faces the head model must fit."""

    @property
    def assembly(self) -> AssembleOptions:
        """Those of them by which people are written."""
        return AssembleOptions(fit=self.fit, captioner=self.captioner)


def options_to_keep(options: BuildOptions, calibration: Calibration) -> dict[str, Any]:
    """Give the options as the header keeps them: as JSON, files and folders by their names alone."""
    kept = asdict(replace(options, calibration=calibration))
    kept["recogniser"] = options.recogniser.name if options.recogniser else None
    kept["captioner"] = captioner_name(options.captioner) if options.captioner else None
    kept["exclude"] = [each.name for each in options.exclude]
    return kept


def kept_options(
    out: Path,
    *,
    recogniser: Path | None = None,
    exclude: tuple[Path, ...] = (),
    captioner: str | None = None,
) -> BuildOptions:
    """Read what a data set was built by.

    Parameters
    ----------
    out
        The data set's folder.
    recogniser, exclude, captioner
        As `BuildOptions` has them: the header keeps only the names of files and folders.

    Raises
    ------
    DatasetError
        ``out`` is no data set that was built, or it was built by a file or folder that is not given.
    """
    state = State.read(out)
    if state is None:
        raise DatasetError(f"{printable(out)} is no data set: build one by `hifi-portrait dataset build`")
    kept = state.options
    if kept["recogniser"] != (recogniser.name if recogniser else None):
        before = kept["recogniser"] or "the default recogniser"
        raise DatasetError(
            f"{printable(out)} was built with {before}: add to it with the same (--recogniser FILE)"
        )
    if kept.get("captioner") != (captioner_name(captioner) if captioner else None):
        before = (
            f"captions by {kept['captioner']}" if kept.get("captioner") else "captions of what was measured"
        )
        raise DatasetError(f"{printable(out)} was built with {before}: add to it with the same (--captioner)")
    if missing := sorted(set(kept["exclude"]) - {each.name for each in exclude}):
        raise DatasetError(
            f"{printable(out)} was built without the people of {', '.join(missing)}: name that data set again"
            " (--exclude DIR), or they would get into it"
        )
    values = {
        each.name: _restored(getattr(_DEFAULTS, each.name), kept[each.name])
        for each in fields(BuildOptions)
        if each.name in kept
    }
    values |= {"calibration": Calibration(**kept["calibration"]), "recogniser": recogniser}
    values |= {"captioner": captioner}
    return BuildOptions(**(values | {"exclude": exclude}))


_DEFAULTS = BuildOptions()


def _restored(default: Any, kept: Any) -> Any:
    """Make the value of an option from JSON; what an older version did not know has its default."""
    if is_dataclass(default) and isinstance(kept, Mapping):
        known = {each.name for each in fields(default)}
        given = {name: _restored(getattr(default, name), kept[name]) for name in known & kept.keys()}
        return replace(default, **given)  # type: ignore[type-var]  # an instance: defaults are no classes
    return tuple(kept) if isinstance(default, tuple) else kept
