"""What the subcommands of ``evaluate`` share: options, the model's row of a table, and where results go."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from hifi_portrait.cli import drawing_options, options
from hifi_portrait.cli.console import emit, progress
from hifi_portrait.cli.groups import given_options
from hifi_portrait.cli.models import check_device, check_model, load_pipeline
from hifi_portrait.cli.outputs import check_files, check_folder, check_text_file, parse_path
from hifi_portrait.errors import ModelError
from hifi_portrait.io.atomic import atomic_write

if TYPE_CHECKING:
    import numpy as np

    from hifi_portrait.evaluation.protocol import Case
    from hifi_portrait.evaluation.runner import Sampling
    from hifi_portrait.pipeline.pipeline import HiFiPortraitPipeline

REFERENCES = 4
"""Reference photos of each synthetic person by default, as docs/results.md has them."""

Prompt = Annotated[str, typer.Option(help="The prompt of every portrait.")]
Count = Annotated[int, typer.Option(min=2, max=10_000, help="How many unseen synthetic people.")]
Upscale = Annotated[
    int,
    typer.Option(min=1, max=8, help="Draw so many times as high and wide, and measure that, reduced."),
]


@dataclass(frozen=True)
class OutputOptions:
    """Where the pictures, the figures and the report go."""

    PANEL: ClassVar[str] = "Results"

    out: Annotated[
        Path,
        typer.Option(
            parser=parse_path,
            metavar="PATH",
            help="Folder of pictures and figures; an unfinished run is taken up again.",
        ),
    ]
    report: Annotated[
        Path | None,
        typer.Option(parser=parse_path, metavar="FILE", help="Also put the section into this Markdown file."),
    ] = None
    as_json: options.Json = False

    def check(self, inputs: Iterable[Path | None] = ()) -> None:
        """Check that results can be written and replace nothing given; see `outputs.check_folder`."""
        given = [path for path in inputs if path is not None]
        check_folder(self.out, given)
        if self.report is not None:
            check_files([self.report], given)
            check_text_file(self.report, "--report")

    def save(self, key: str, figures: dict[str, Any], section: str) -> None:
        """Write the figures as JSON and the section as Markdown, and print one of them.

        Parameters
        ----------
        key
            Name of the files, and of the section in the report.
        """
        from hifi_portrait.evaluation.report.report import write_section

        self.out.mkdir(parents=True, exist_ok=True)
        for name, text in ((f"{key}.md", section), (f"{key}.json", json.dumps(figures))):
            with atomic_write(self.out / name) as partial:
                partial.write_text(text)
        if self.report is not None:
            write_section(self.report, key, section)
        emit(figures, section, self.as_json)


@dataclass(frozen=True)
class ScoringOptions:
    """The weights that score; they are no part of the package.

    Raises
    ------
    ModelError
        If `scoring` is no folder.
    """

    PANEL: ClassVar[str] = "Results"

    scoring: Annotated[
        Path | None,
        typer.Option(
            parser=parse_path,
            metavar="DIR",
            help="Folder of weights used only to score; what needs them is left out without.",
        ),
    ] = None

    def __post_init__(self) -> None:
        if self.scoring is not None and not self.scoring.is_dir():
            raise ModelError(f"--scoring {self.scoring} is not a folder")

    @property
    def words(self) -> str:
        """The option as the report shows it, or nothing."""
        return "" if self.scoring is None else "--scoring DIR"

    @property
    def recogniser_name(self) -> str:
        """What `recogniser` is called in a report."""
        return "the package's own recogniser" if self.scoring is None else "SFace"

    def recogniser(self) -> Callable[[np.ndarray], np.ndarray | None]:
        """Load the recogniser: SFace where there are scoring weights, else the package's own.

        Returns
        -------
        uint8 RGB picture (H, W, 3) -> embedding (D,), or None where no face is found.
        """
        if self.scoring is not None:
            from hifi_portrait.evaluation.scorers.recognisers import SFACE, SFaceRecogniser

            reader = SFaceRecogniser(self.scoring)
            return lambda image: reader.read(image).get("embeddings", {}).get(SFACE)

        from hifi_portrait.errors import NoFaceError
        from hifi_portrait.faces import analyse

        def embed(image: np.ndarray) -> np.ndarray | None:
            try:
                return analyse(image).embedding
            except NoFaceError:
                return None

        return embed


@dataclass(frozen=True)
class DrawingOptions(drawing_options.WarpOptions, drawing_options.SamplingOptions):
    """How the pipeline is called for every portrait."""

    PANEL: ClassVar[str] = "Sampling"

    hifi_every: options.HiFiEvery = 1

    def sampling(self, prompt: str = "", upscale: int | None = 1) -> Sampling:
        """Put prompt and size beside the options."""
        from hifi_portrait.evaluation.runner import Sampling

        return Sampling(prompt=prompt, upscale=upscale, **asdict(self))


@dataclass(frozen=True)
class RowOptions:
    """Which model draws a row of the table."""

    PANEL: ClassVar[str] = "The model's row"

    model: options.SavedModel = None
    name: Annotated[str, typer.Option(help="The model's row in the table.")] = "portrait"
    device: options.Device = None
    warp_only: Annotated[
        bool, typer.Option("--warp-only", help="Draw only the plain warp's row; no model is needed.")
    ] = False

    @property
    def folder(self) -> Path | None:
        """The model's folder, if it has one."""
        return Path(self.model) if self.model else None

    def check(self) -> None:
        """Check that there are such a model and such a device, before anybody is photographed."""
        if not self.warp_only:
            check_model(self.model)
            check_device(self.device)

    def load(self) -> HiFiPortraitPipeline:
        """Load the model."""
        return load_pipeline(self.model, self.device)

    def words(self, sampling: Sampling) -> str:
        """Give the options that were given, as the report shows them; a model's folder is ``DIR`` there."""
        if self.warp_only:
            return "--warp-only"
        model = "" if self.model is None else f"--model DIR --name {self.name}"
        return joined(model, given_options(sampling))


def joined(*words: str) -> str:
    """Join the parts of a command line that are not empty."""
    return " ".join(part for part in words if part)


def photograph_people(count: int, out: Path, quiet: bool, references: int = REFERENCES) -> list[Case]:
    """Photograph the unseen synthetic people into `out`, with a progress bar."""
    from hifi_portrait.evaluation.protocol import make_synthetic_cases

    with progress(quiet) as bar:
        task = bar.add_task("photographing", total=count)
        return make_synthetic_cases(
            count, out / "people", references=references, on_done=lambda: bar.advance(task)
        )
