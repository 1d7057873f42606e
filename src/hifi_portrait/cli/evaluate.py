"""``hifi-portrait evaluate``: measure a model as docs/results.md reports it."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hifi_portrait.cli import options
from hifi_portrait.cli.console import emit, progress
from hifi_portrait.cli.inputs import find_photos, load_pipeline
from hifi_portrait.errors import ModelError

if TYPE_CHECKING:
    import numpy as np

    from hifi_portrait.evaluation.autoencoder import AutoencoderFigures, Embed
    from hifi_portrait.evaluation.protocol import Case
    from hifi_portrait.evaluation.runner import Draw, Sampling


@dataclass(frozen=True)
class Protocol:
    """Which people, how many references and seeds, and the row that control is compared with."""

    synthetic: int | None = None
    photos: Path | None = None
    references: int = 4
    seeds: int = 1
    against: str | None = None

    def source(self) -> str:
        """The people and their references; pictures of one such list must not be mixed with another's."""
        if self.photos is not None:
            return "photos PHOTOS"
        return f"synthetic {self.synthetic}" + (
            f" --references {self.references}" if self.references != 4 else ""
        )

    def words(self) -> str:
        """As on the command line, folders by a word."""
        words = f"--{self.source()} --scoring DIR --out DIR"
        if self.seeds != 1:
            words += f" --seeds {self.seeds}"
        return words if self.against is None else f"{words} --against {shlex.quote(self.against)}"


@dataclass(frozen=True)
class Portraits:
    """The model's row: its name in the table, which model, where it runs and how it is called."""

    row: str
    model: str | None
    device: str | None
    sampling: Sampling

    def load(self) -> Draw:
        """Load the model."""
        from hifi_portrait.evaluation.protocol import SIZE
        from hifi_portrait.evaluation.runner import pipeline_row

        return pipeline_row(load_pipeline(self.model, self.device), self.sampling, SIZE)

    def words(self) -> str:
        """The options that were given, as on the command line; a model's folder goes by the row's name."""
        unsaid = asdict(type(self.sampling)())
        given = {key: value for key, value in asdict(self.sampling).items() if value != unsaid[key]}
        if self.model is not None:
            given = {"model": "DIR", "name": self.row} | given
        return " ".join(
            f"--{key.replace('_', '-')} {shlex.quote(str(value))}" for key, value in given.items()
        )


def evaluate(
    out: Annotated[Path, typer.Option(help="Where pictures are kept; an unfinished run is taken up again.")],
    synthetic: Annotated[
        int | None, typer.Option(min=2, metavar="PEOPLE", help="Unseen synthetic people.", show_default=False)
    ] = None,
    photos: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Real photos, one sub-folder a person.", show_default=False),
    ] = None,
    autoencoder: Annotated[
        bool, typer.Option("--autoencoder", help="Only: are the --synthetic people recognised through it?")
    ] = False,
    prompts: Annotated[
        bool,
        typer.Option("--prompts", help="Only: do the --synthetic people's portraits follow prompts?"),
    ] = False,
    timing: Annotated[
        Path | None,
        typer.Option(
            "--time", metavar="DIR", help="Only: time and memory of one portrait from these photos."
        ),
    ] = None,
    scoring: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Weights used only to score; what needs them is left out without."),
    ] = None,
    references: Annotated[
        int, typer.Option(min=1, max=8, help="Reference photos of each synthetic person.")
    ] = 4,
    seeds: Annotated[
        int, typer.Option(min=1, max=20, help="Portraits drawn for each wish, each from other noise.")
    ] = 1,
    against: Annotated[
        str | None,
        typer.Option(metavar="ROW", help="Row that control is compared with. [default: plain warp]"),
    ] = None,
    warp_only: Annotated[
        bool, typer.Option("--warp-only", help="Draw only the plain warp's row; no model is needed.")
    ] = False,
    model: options.Model = None,
    name: Annotated[str, typer.Option(help="The model's row in the table.")] = "portrait",
    prompt: Annotated[str, typer.Option(help="The prompt of every portrait.")] = "",
    steps: options.Steps = None,
    guidance: options.Guidance = None,
    warp_strength: options.WarpStrength = None,
    warp_grain: options.WarpGrain = None,
    warp_share: options.WarpShare = 1.0,
    prompt_scale: options.PromptScale = 1.0,
    prompt_rounds: options.PromptRounds = 2,
    hifi_every: options.HiFiEvery = 1,
    upscale: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=8,
            help="Draw so many times as high and wide, and measure that, reduced. "
            "[default: 1; with --time the model's]",
        ),
    ] = None,
    device: options.Device = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also put the section into this Markdown file.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Measure identity, expression, head pose and picture quality on people the model has not seen."""
    from hifi_portrait.evaluation.report import report as markdown
    from hifi_portrait.evaluation.runner import Sampling

    if sum(wish is not None for wish in (synthetic, photos, timing)) != 1:
        raise typer.BadParameter("say exactly one of --synthetic PEOPLE, --photos DIR, --time DIR")
    if autoencoder and synthetic is None:
        raise typer.BadParameter("--autoencoder needs --synthetic PEOPLE")
    if references != 4 and synthetic is None:
        raise typer.BadParameter("--references goes with --synthetic: every photo of --photos is a reference")
    if prompts and (synthetic is None or autoencoder or prompt):
        raise typer.BadParameter("--prompts needs --synthetic PEOPLE, and neither --autoencoder nor --prompt")
    if scoring is not None and not scoring.is_dir():
        raise ModelError(f"--scoring {scoring} is not a folder")
    sampling = Sampling(
        prompt=prompt,
        steps=steps,
        guidance=guidance,
        warp_strength=warp_strength,
        warp_grain=warp_grain,
        warp_share=warp_share,
        prompt_scale=prompt_scale,
        prompt_rounds=prompt_rounds,
        hifi_every=hifi_every,
        upscale=upscale or 1,
    )

    if timing is not None:
        from hifi_portrait.evaluation.timing import time_portrait

        result = time_portrait(
            load_pipeline(model, device), find_photos([timing]), replace(sampling, upscale=upscale)
        )
        key, figures = "time", asdict(result)
        section = markdown.timing_section("hifi-portrait evaluate --time PHOTOS --out DIR", result)
    elif autoencoder:
        assert synthetic is not None
        kept = _autoencoder(synthetic, out, scoring, model, device, as_json)
        key, figures = "autoencoder", asdict(kept) | {"share_kept": kept.share_kept}
        command = f"hifi-portrait evaluate --autoencoder --synthetic {synthetic} --scoring DIR --out DIR"
        recogniser = "SFace" if scoring else "the package's own recogniser"
        section = markdown.autoencoder_section(command, kept, recogniser)
    elif prompts:
        assert synthetic is not None
        portraits = None if warp_only else Portraits(name, model, device, sampling)
        key, figures, section = _prompts(synthetic, out, scoring, portraits, as_json)
    else:
        key, figures, section = _benchmark(
            Protocol(synthetic, photos, references, seeds, against),
            out,
            scoring,
            None if warp_only else Portraits(name, model, device, sampling),
            as_json,
        )

    out.mkdir(parents=True, exist_ok=True)
    (out / f"{key}.md").write_text(section)
    (out / f"{key}.json").write_text(json.dumps(figures))
    if report is not None:
        markdown.write_section(report, key, section)
    emit(figures, section, as_json)


def _benchmark(
    protocol: Protocol, out: Path, scoring: Path | None, portraits: Portraits | None, quiet: bool
) -> tuple[str, dict[str, object], str]:
    from hifi_portrait.evaluation import runner
    from hifi_portrait.evaluation.benchmark import WARP_ROW, score
    from hifi_portrait.evaluation.protocol import RULER_PEOPLE, SIZE
    from hifi_portrait.evaluation.report.report import benchmark_section

    cases = _cases(out, protocol, quiet)
    runner.check_same_run(out, f"{protocol.source()}, {len(cases)} people")
    with progress(quiet) as bar:
        task = bar.add_task("portraits", total=len(cases))
        runner.draw_rows(cases, {WARP_ROW: runner.warp_row(SIZE)}, out)
        if portraits is not None:
            drawn = {portraits.row: portraits.load()}
            runner.draw_rows(cases, drawn, out, seeds=protocol.seeds, on_done=lambda: bar.advance(task))
        ruler = bar.add_task("photographing for the rulers", total=RULER_PEOPLE, visible=False)
        bar.add_task("measuring", total=None)
        result = score(
            cases,
            runner.rows_in(out),
            out,
            scoring,
            seeds=protocol.seeds,
            against=protocol.against or WARP_ROW,
            on_ruler_person=lambda: bar.update(ruler, advance=1, visible=True),
        )

    _write_sheets(cases, runner.rows_in(out), out)
    words = [protocol.words(), "--warp-only" if portraits is None else portraits.words()]
    command = " ".join(["hifi-portrait evaluate", *(part for part in words if part)])
    real = protocol.photos is not None
    title = f"{len(cases)} real people" if real else f"{len(cases)} unseen synthetic people"
    return "photos" if real else "synthetic", asdict(result), benchmark_section(title, command, result)


def _write_sheets(cases: list[Case], rows: list[str], out: Path) -> None:
    """`sheets/rows.jpg`, all rows above each other, and a sheet of each row with all wishes."""
    from hifi_portrait.cli.sheet import contact_sheet
    from hifi_portrait.evaluation.report.sheets import all_wishes, one_wish_each

    folder = out / "sheets"
    folder.mkdir(exist_ok=True)
    contact_sheet(one_wish_each(cases, rows, out), cell=144).save(folder / "rows.jpg", quality=90)
    for row in rows:
        contact_sheet(all_wishes(cases, row, out)).save(folder / f"row-{row}.jpg", quality=90)


def _prompts(
    people: int, out: Path, scoring: Path | None, portraits: Portraits | None, quiet: bool
) -> tuple[str, dict[str, object], str]:
    from hifi_portrait.evaluation import prompt_following
    from hifi_portrait.evaluation.benchmark import PORTRAIT_ROW
    from hifi_portrait.evaluation.report.prompt_report import prompts_section

    cases = _cases(out, Protocol(synthetic=people), quiet)
    row, draw = PORTRAIT_ROW, None
    if portraits is not None:
        pipe = load_pipeline(portraits.model, portraits.device)
        row, draw = portraits.row, prompt_following.pipeline_prompts(pipe, portraits.sampling)
    with progress(quiet) as bar:
        task = bar.add_task("prompts", total=people)
        prompt_following.draw_prompts(cases, row, draw, out, lambda: bar.advance(task))
        bar.add_task("measuring", total=None)
        result = prompt_following.score_prompts(cases, out, _recogniser(scoring))
    words = "--warp-only" if portraits is None else portraits.words()
    scored = " --scoring DIR" if scoring else ""
    command = f"hifi-portrait evaluate --prompts --synthetic {people}{scored} --out DIR {words}".rstrip()
    recogniser = "SFace" if scoring else "the package's own recogniser"
    return "prompts", asdict(result), prompts_section(command, result, recogniser)


def _cases(out: Path, protocol: Protocol, quiet: bool) -> list[Case]:
    from hifi_portrait.evaluation.protocol import real_cases, synthetic_cases

    if protocol.photos is not None:
        return real_cases(protocol.photos)
    assert protocol.synthetic is not None
    with progress(quiet) as bar:
        task = bar.add_task("photographing", total=protocol.synthetic)
        return synthetic_cases(
            protocol.synthetic,
            out / "people",
            references=protocol.references,
            on_done=lambda: bar.advance(task),
        )


def _autoencoder(
    people: int, out: Path, scoring: Path | None, model: str | None, device: str | None, quiet: bool
) -> AutoencoderFigures:
    from hifi_portrait.evaluation.autoencoder import evaluate_autoencoder
    from hifi_portrait.faces import load_image

    cases = _cases(out, Protocol(people), quiet)
    queries = [[load_image(wish.truth) for wish in case.wishes if wish.truth] for case in cases]
    gallery = [load_image(case.gallery[0]) for case in cases]
    with progress(quiet) as bar:
        task = bar.add_task("autoencoder", total=people)
        network = _load_autoencoder(model, device)
        return evaluate_autoencoder(
            network, queries, gallery, _recogniser(scoring), lambda: bar.advance(task)
        )


def _load_autoencoder(model: str | None, device: str | None) -> Any:
    """The pipeline's autoencoder, or the one saved by itself in the folder `model`."""
    if model is not None and (Path(model) / "config.json").is_file():
        from diffusers import AutoencoderKL

        return AutoencoderKL.from_pretrained(model).eval().to(device or "cpu")
    return load_pipeline(model, device).vae


def _recogniser(scoring: Path | None) -> Embed:
    if scoring is not None:
        from hifi_portrait.evaluation.scorers.recognisers import SFACE, SFaceRecogniser

        reader = SFaceRecogniser(scoring)
        return lambda image: reader.read(image).get("embeddings", {}).get(SFACE)

    from hifi_portrait.errors import NoFaceError
    from hifi_portrait.faces import analyse

    def embed(image: np.ndarray) -> np.ndarray | None:
        try:
            return analyse(image).embedding
        except NoFaceError:
            return None

    return embed
