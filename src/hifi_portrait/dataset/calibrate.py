"""Calibrate the thresholds of a recogniser on an analysed data set of people who are not measured later.

``python -m hifi_portrait.dataset.calibrate DIR --out FILE``. The thresholds of the plain cosine follow from
rates of false matches among pairs of two people, those of the likelihood ratio from the groups that come out.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hifi_portrait.dataset.curate.calibration import Calibration
from hifi_portrait.dataset.curate.faces import load_faces
from hifi_portrait.dataset.curate.grouping import GroupingOptions, group_faces
from hifi_portrait.dataset.curate.likelihood import learn_ratios, least_scatter
from hifi_portrait.dataset.curate.state import State, read_batch
from hifi_portrait.errors import DatasetError
from hifi_portrait.head.arrays import FloatArray

_FALSE_MATCH_RATES = {
    "plain_strict": 1.4e-3,
    "plain_guard": 1.8e-2,
    "folder_plain": 0.2,
}
"""Threshold of the plain cosine -> of pairs of two people, the fraction above it. In a folder most faces are
one person, and so it may be high there."""

_PLAIN_RATES = (1e-2, 8e-3, 6e-3, 5e-3, 4e-3, 3e-3, 2e-3)
"""Rates of false matches that are tried for the plain cosine where it stands alone, and purity is not all."""

_RATIOS = tuple(map(float, range(-12, 21, 2)))
"""Likelihood ratios that are tried in heaps."""

_FIRST_RATIO = 8.0
"""That which stands for ratios that are not chosen yet: a strict one."""

_BALANCED_IMPOSTORS, _STRICT_IMPOSTORS = 0.02, 0.007
"""Impostors that groups may have, a fraction of the faces in them; a margin below what is promised."""

_PLAIN_IMPOSTORS = 0.03
"""The same where nothing is learnt."""

_FOLDER_RATIOS = tuple(map(float, range(-21, 7, 3)))
"""Ratios inside folders that are tried."""

_FOLDER_WRONG = 0.004
"""Wrong faces that may be left in folders, a fifth of whose faces are wrong."""

_UNNAMED_RATIOS = tuple(map(float, range(-4, 17, 2)))
"""Ratios that are tried for faces without names beside folders."""

_UNNAMED_WRONG = 0.02
"""Of such faces, a third of them of people who have no folder, those that may be given to somebody else."""

_TAIL = (1e-3, 1e-5)
"""Rates of false matches between which it is measured how the ratio falls with them."""


def calibrate(
    vectors: FloatArray, truth: npt.NDArray[np.int64], recogniser: str, made_of: str
) -> Calibration:
    """Choose thresholds.

    Parameters
    ----------
    vectors
        (N, E) unit vectors of faces.
    truth
        (N,) who each is of.
    recogniser
        The recogniser's name.
    made_of
        What the people are.
    """
    cosines, together = vectors @ vectors.T, truth[:, None] == truth
    impostors = cosines[~together]

    def cosine_at(rate: float) -> float:
        return round(float(np.quantile(impostors, 1 - rate)), 4)

    chosen = Calibration(
        recogniser=recogniser,
        **{name: cosine_at(rate) for name, rate in _FALSE_MATCH_RATES.items()},
        plain_balanced=cosine_at(_PLAIN_RATES[-1]),
        ratio_strict=_FIRST_RATIO,
        ratio_balanced=_FIRST_RATIO,
        folder_ratio=_FIRST_RATIO,
        unnamed_ratio=_FIRST_RATIO,
        false_match_rate=_FALSE_MATCH_RATES["plain_strict"],
        faces=len(vectors),
        doubling=_doubling(vectors, truth, ~together),
        made_of=made_of,
    )
    alone = [
        (plain, _alone(vectors, truth, replace(chosen, plain_balanced=plain)))
        for plain in map(cosine_at, _PLAIN_RATES)
    ]
    chosen = replace(
        chosen,
        plain_balanced=next((plain for plain, wrong in alone if wrong <= _PLAIN_IMPOSTORS), alone[-1][0]),
    )
    tried = [(ratio, *_heap(vectors, truth, replace(chosen, ratio_balanced=ratio))) for ratio in _RATIOS]
    chosen = replace(
        chosen,
        ratio_strict=_best_within(tried, _STRICT_IMPOSTORS),
        ratio_balanced=_best_within(tried, _BALANCED_IMPOSTORS),
    )
    in_folders = [
        (ratio, *_folders(vectors, truth, replace(chosen, folder_ratio=ratio))) for ratio in _FOLDER_RATIOS
    ]
    clean = [each for each in in_folders if each[1] <= _FOLDER_WRONG]
    best = min(clean, key=lambda each: each[2]) if clean else min(in_folders, key=lambda each: each[1])
    chosen = replace(chosen, folder_ratio=best[0])
    unnamed = [
        (ratio, _beside_folders(vectors, truth, replace(chosen, unnamed_ratio=ratio)))
        for ratio in _UNNAMED_RATIOS
    ]
    ratio = next((ratio for ratio, wrong in unnamed if wrong <= _UNNAMED_WRONG), unnamed[-1][0])
    return replace(chosen, unnamed_ratio=ratio)


def _best_within(tried: Sequence[tuple[float, float, float]], most: float) -> float:
    """Choose the threshold with the best F1 among those with few impostors, or else the purest one."""
    pure = [each for each in tried if each[2] <= most] or [min(tried, key=lambda each: each[2])]
    return max(pure, key=lambda each: each[1])[0]


def _doubling(vectors: FloatArray, truth: npt.NDArray[np.int64], are_two: npt.NDArray[np.bool_]) -> float:
    """Measure by how much the ratio must rise to halve the rate of false matches; 0 if nothing is learnt."""
    ratios = learn_ratios(vectors, truth)
    if ratios is None:
        return 0.0
    rows = np.arange(len(vectors))
    often, seldom = np.quantile(ratios.of(rows, rows)[are_two], 1 - np.array(_TAIL))
    return round(float((seldom - often) / np.log2(_TAIL[0] / _TAIL[1])), 2)


def _alone(vectors: FloatArray, truth: npt.NDArray[np.int64], calibration: Calibration) -> float:
    """Group by the plain cosine collections that are too small to learn from; give the mean of impostors.

    In a small collection there are fewer who could be taken for each other than among all.
    """
    small = least_scatter(vectors.shape[1])
    people = np.random.default_rng(0).permutation(np.unique(truth))
    parts = np.array_split(people, -(-len(truth) // small))
    rows = [np.flatnonzero(np.isin(truth, part)) for part in parts]
    return float(np.mean([_heap(vectors[each], truth[each], calibration, learn=False)[1] for each in rows]))


def _heap(
    vectors: FloatArray, truth: npt.NDArray[np.int64], calibration: Calibration, *, learn: bool = True
) -> tuple[float, float]:
    """Group without names; give the pairwise F1 and the fraction of impostors."""
    options = GroupingOptions(purity="balanced", learn=learn)
    groups = group_faces(vectors, np.arange(len(vectors)), [""] * len(vectors), calibration, options)
    kept = groups.person >= 0
    counts = np.zeros((groups.person.max() + 1, truth.max() + 1), np.int64)
    np.add.at(counts, (groups.person[kept], truth[kept]), 1)

    def pairs(of: npt.NDArray[np.int64]) -> int:
        return int((of * (of - 1) // 2).sum())

    said, true = pairs(counts.sum(axis=1)), pairs(np.bincount(truth))
    impostors = 1 - counts.max(axis=1).sum() / max(int(kept.sum()), 1)
    return 2 * pairs(counts) / max(said + true, 1), float(impostors)


def _folders(
    vectors: FloatArray, truth: npt.NDArray[np.int64], calibration: Calibration
) -> tuple[float, float]:
    """Verify folders with a fifth of wrong faces; give the fractions of wrong ones left, good ones lost."""
    rng = np.random.default_rng(0)
    people = np.unique(truth)
    home = truth.copy()
    wrong = rng.random(len(truth)) < 0.2
    home[wrong] = rng.choice(people, int(wrong.sum()))
    groups = group_faces(
        vectors, np.arange(len(vectors)), [f"of/{name}" for name in home], calibration, GroupingOptions()
    )
    left = lost = 0
    for number, names in groups.names.items():
        owners = [int(name.removeprefix("of/")) for name in names]
        left += int(np.isin(truth[groups.person == number], owners, invert=True).sum())
    lost = int(((home == truth) & (groups.person < 0)).sum())
    return left / max(int((groups.person >= 0).sum()), 1), lost / max(int((home == truth).sum()), 1)


def _beside_folders(vectors: FloatArray, truth: npt.NDArray[np.int64], calibration: Calibration) -> float:
    """Take a face of each person out of the folder, and every third folder away.

    Gives the fraction of these faces that end with somebody else.
    """
    rng = np.random.default_rng(0)
    first = np.unique(truth, return_index=True)[1]
    has_folder = rng.random(len(first)) >= 1 / 3
    named = np.isin(truth, truth[first[has_folder]])
    named[first] = False
    rows = np.sort(np.concatenate([np.flatnonzero(named), first]))
    names = [f"of/{truth[row]}" if named[row] else "" for row in rows]
    groups = group_faces(vectors[rows], np.arange(len(rows)), names, calibration, GroupingOptions())
    nameless = ~named[rows] & (groups.person >= 0)
    wrong = sum(
        f"of/{truth[rows[at]]}" not in groups.names.get(int(groups.person[at]), ())
        for at in np.flatnonzero(nameless)
    )
    return wrong / len(first)


def read_people(folder: Path) -> tuple[FloatArray, npt.NDArray[np.int64], str]:
    """Read the faces of a set that was built of folders whose names are right.

    Returns
    -------
    vectors, truth, recogniser
        (N, E) unit vectors, (N,) who each is of, and the recogniser's name.

    Raises
    ------
    DatasetError
        It is no such set.
    """
    state = State.read(folder)
    if state is None:
        raise DatasetError(f"{folder} is no data set that was built by `hifi-portrait dataset build`")
    tables = [name for number in range(state.batches) for name, _ in read_batch(folder, number).shards()]
    faces, _ = load_faces([folder / "work" / "faces" / f"{name}.parquet" for name in tables])
    rows = [row for row in _largest(faces.face) if faces.group[row]]
    if not rows:
        raise DatasetError(f"{folder} was built without names: its folders must say who is who")
    _, truth = np.unique([faces.group[row] for row in rows], return_inverse=True)
    return faces.vectors[rows], truth, str(state.options["calibration"]["recogniser"])


def _largest(face: npt.NDArray[np.int32]) -> Iterator[int]:
    return (int(row) for row in np.flatnonzero(face == 0))


def main(words: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", type=Path, help="a set built of folders whose names are right")
    parser.add_argument("--out", type=Path, required=True, help="the calibration file to write")
    parser.add_argument("--made-of", default="", help="what the people are, for the card")
    arguments = parser.parse_args(words)
    vectors, truth, recogniser = read_people(arguments.data)
    calibrate(vectors, truth, recogniser, arguments.made_of).save(arguments.out)
    sys.stdout.write(f"{arguments.out}\n")


if __name__ == "__main__":
    main()
