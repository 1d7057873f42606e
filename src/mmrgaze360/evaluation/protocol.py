"""Measuring rows on a data set of panoramas: what is asked, in which order, and the table that it makes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from hifi_portrait.errors import ModelError
from hifi_portrait.head.arrays import Array
from mmrgaze360.dataset.format import SceneRecord
from mmrgaze360.dataset.records import GazeRecord
from mmrgaze360.evaluation.finders import FACES, FINDERS, HEADS, find, format_found
from mmrgaze360.evaluation.head_fit import FIT_SIZE, fit_gaze
from mmrgaze360.evaluation.networks import BASELINES, TrainedNetworks
from mmrgaze360.evaluation.rows import ROWS, Question
from mmrgaze360.follower import GazeFollower, PersonGaze, cut_close_up
from mmrgaze360.measures import average_precision, measure, strata_of, summarise
from mmrgaze360.measures.finding import FoundHeads
from mmrgaze360.network.head import HeadNetwork
from mmrgaze360.network.inputs import to_network
from mmrgaze360.panorama import Panorama
from mmrgaze360.sphere import angle_between
from mmrgaze360.training.crops import close_up_patch, read_close_up

_SURE = 60.0
"""Concentration that a true gaze is given."""
_FITTED, _UNSURE = 20.0, 1.0
"""Concentrations of a gaze from the head fit, and of the guess where no face is found."""
_MAIN = "MMRGaze360"


def evaluate(
    scenes: Iterable[SceneRecord],
    rows: Sequence[str],
    follower: GazeFollower | None = None,
    *,
    folder: str | Path | None = None,
    most: int | None = None,
    quiet: bool = False,
) -> dict[str, Any]:
    """Measure rows.

    Parameters
    ----------
    scenes
        A data set: `dataset.SceneDataset` or `dataset.gazefollow360.GazeFollow360`.
    rows
        Names of `ROWS` and `FINDERS`. Those with the true gaze are left out where it is not known.
    follower
        The trained system, for rows that need it.
    folder
        Further trained networks, each in a folder of its recipe's name.
    most
        Scenes to take, all by default.
    quiet
        Whether to show no progress bar.

    Returns
    -------
    dict
        ``rows``: by name, of `measures.summarise`; ``strata``: of the main row, by stratum; ``in_view``:
        average precision of the main row; ``gaze``: error of the head network, in degrees; ``found``: by
        finder, of `measures.finding.FoundHeads`.

    Raises
    ------
    ValueError
        A row is unknown.
    ModelError
        A row needs the trained system, and there is none.
    """
    networks = TrainedNetworks(follower, folder)
    for name in rows:
        if name not in ROWS and name not in FINDERS:
            raise ValueError(f"unknown row {name!r}: take some of {', '.join((*ROWS, *FINDERS))}")
        needs = name != FACES if name in FINDERS else ROWS[name].trained
        if follower is None and needs:
            raise ModelError(f"row {name!r} needs trained networks: give their folder (--model DIR)")
        if name in ROWS and ROWS[name].network and not networks.has(ROWS[name].network):
            recipe = ROWS[name].network
            raise ModelError(f"row {name!r} needs {folder}/{recipe}: train it (mmrgaze360 train {recipe})")
    finders = {name: FoundHeads() for name in rows if name in FINDERS}
    collected = _Collected([name for name in rows if name in ROWS])
    for scene in tqdm(islice(scenes, most), unit="scene", disable=quiet):
        if collected.names:
            _ask_about(scene, follower, networks, collected)
        for name, counts in finders.items():
            detector = None if follower is None else follower.model.detector
            counts.add(find(name, Panorama(scene.picture(), scene.scene_id), detector), scene.people)
    found = collected.result()
    if finders:
        found["found"] = {name: counts.result() for name, counts in finders.items()}
    return found


def possible_rows(folder: str | Path | None, follower: GazeFollower) -> list[str]:
    """Name the rows whose networks are there."""
    networks = TrainedNetworks(follower, folder)
    rows = [name for name, row in ROWS.items() if not row.network or networks.has(row.network)]
    return rows + ([HEADS] if follower.model.detector is not None else [])


class _Collected:
    """Measures so far."""

    def __init__(self, rows: Sequence[str]) -> None:
        self.names = list(rows)
        self.needs_reading = any(ROWS[name].gaze == "read" for name in rows)
        self.measures: dict[str, list[dict[str, float]]] = {name: [] for name in rows}
        self.scenes: dict[str, list[str]] = {name: [] for name in rows}
        self.strata: dict[str, list[int]] = {}
        self.in_view: list[tuple[float, bool]] = []
        self.gaze: list[tuple[float, bool]] = []
        self.number = 0

    def result(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "rows": {
                name: summarise(values, self.scenes[name]) for name, values in self.measures.items() if values
            }
        }
        main = self.measures.get(_MAIN, [])
        if main:
            found["strata"] = {
                name: summarise([main[k] for k in places], [self.scenes[_MAIN][k] for k in places])
                for name, places in sorted(self.strata.items())
            }
        if self.in_view and not all(truth for _, truth in self.in_view):
            scores, truth = map(np.array, zip(*self.in_view, strict=True))
            found["in_view"] = {"average_precision": average_precision(scores, truth), "people": len(truth)}
        if self.gaze:
            error, towards = map(np.array, zip(*self.gaze, strict=True))
            found["gaze"] = {"mean": float(error.mean()), "median": float(np.median(error))}
            for name, chosen in (("towards", towards), ("away", ~towards)):
                if chosen.any():
                    found["gaze"][name] = float(error[chosen].mean())
        return found


def _ask_about(
    scene: SceneRecord,
    follower: GazeFollower | None,
    networks: TrainedNetworks,
    collected: _Collected,
) -> None:
    panorama = Panorama(scene.picture(), scene.scene_id) if follower is not None else None
    fits = any(ROWS[name].gaze == "fit" for name in collected.names)
    for person in scene.people:
        read, fitted = None, None
        if follower is not None and panorama is not None and collected.needs_reading:
            read = _read_gaze(follower.model.head, panorama, person)
            if person.gaze is not None:
                error = float(np.degrees(angle_between(read[0], person.gaze)))
                collected.gaze.append((error, bool(person.gaze @ person.head < 0)))
        if fits and panorama is not None:
            fitted = _fit_gaze(panorama, person)
        answers: dict[str, PersonGaze] = {}
        for name in collected.names:
            row = ROWS[name]
            gaze, kappa = (None, 0.0)
            if row.gaze == "read" and read is not None:
                gaze, kappa = read
            elif row.gaze == "fit" and fitted is not None:
                gaze, kappa = fitted
            elif row.gaze == "true":
                if person.gaze is None:
                    continue
                gaze, kappa = person.gaze, _SURE
            heat_map = None
            if row.network in BASELINES:
                heat_map = networks.heat_map(row.network, scene, person)
            elif row.network:
                assert panorama is not None and gaze is not None
                system = networks.follower(row.network)
                answers[name] = system(panorama, [person.head_box], [(gaze, kappa)])[0]
                if name == _MAIN:
                    collected.in_view.append((answers[name].in_view, person.in_view))
            if not person.in_view or person.target is None:
                continue
            question = Question(
                number=collected.number,
                head=person.head,
                gaze=gaze,
                concentration=kappa,
                answer=answers.get(name),
                heat_map=heat_map,
            )
            if name == _MAIN:
                for stratum in strata_of(person):
                    collected.strata.setdefault(stratum, []).append(len(collected.measures[name]))
            collected.measures[name].append(measure(row.make(question), person.target))
            collected.scenes[name].append(scene.scene_id)
        collected.number += 1


def _read_gaze(network: HeadNetwork, panorama: Panorama, person: GazeRecord) -> tuple[Array, float]:
    """Read a gaze from a person's close-up where the data has one, else from the panorama."""
    import torch

    from mmrgaze360.follower import read_gaze

    if person.close_up is None:
        return read_gaze(network, panorama, person.head_box)
    size = network.config.size
    crop = to_network(read_close_up(person, None, size))
    with torch.no_grad():
        gaze, kappa = network(torch.from_numpy(crop)[None])
    rotation = close_up_patch(person, size).rotation
    return rotation @ gaze[0].double().numpy(), float(kappa[0])


def _fit_gaze(panorama: Panorama, person: GazeRecord) -> tuple[Array, float]:
    """Fit a head to a person's face; without a face they are taken to look away from the camera."""
    if person.close_up is None:
        close_up = np.rint(cut_close_up(panorama, person.head_box, FIT_SIZE)).astype(np.uint8)
    else:
        close_up = read_close_up(person, None, FIT_SIZE)
    gaze = fit_gaze(close_up)
    rotation = close_up_patch(person, FIT_SIZE).rotation
    return (rotation[:, 1], _UNSURE) if gaze is None else (rotation @ gaze, _FITTED)


_COLUMNS = (
    ("distance", "distance rad", "{:.4f}"),
    ("degrees_median", "median deg", "{:.1f}"),
    ("within_10", "within 10 deg", "{:.2f}"),
    ("auc_64", "AUC64", "{:.4f}"),
    ("auc_point", "AUCpoint", "{:.4f}"),
    ("auc_sphere", "AUCsphere", "{:.4f}"),
)


def format_table(found: dict[str, Any], published: Sequence[tuple[str, float, float]] = ()) -> str:
    """Write what `evaluate` found as Markdown tables, below published figures where there are some."""
    lines = []
    if found.get("rows") or published:
        titles = " | ".join(title for _, title, _ in _COLUMNS)
        lines.append(f"| | {titles} | 95 % of the distance | people |")
        lines.append("| --- |" + " --- |" * (len(_COLUMNS) + 2))
    for name, distance, auc in published:
        lines.append(f"| published: {name} | {distance:.4f} | | | {auc:.4f} | | | | |")
    for part in ("rows", "strata"):
        for name, values in found.get(part, {}).items():
            cells = [text.format(values[key]) for key, _, text in _COLUMNS]
            interval = f"{values['distance_low']:.3f}-{values['distance_high']:.3f}"
            lines.append(f"| {name} | {' | '.join(cells)} | {interval} | {values['people']:.0f} |")
    if "in_view" in found:
        precision, count = found["in_view"]["average_precision"], found["in_view"]["people"]
        lines.append(f"\nIn view or not: average precision {precision:.3f} of {count} people.")
    if "gaze" in found:
        parts = ", ".join(f"{name} {value:.1f}" for name, value in found["gaze"].items())
        lines.append(f"\nGaze direction, degrees of error: {parts}.")
    lines += format_found(found.get("found", {}))
    return "\n".join(lines)
