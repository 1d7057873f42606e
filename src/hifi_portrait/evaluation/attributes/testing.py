"""Testing the classifier: how often it is right on people it was not trained on, and what it confuses."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hifi_portrait.evaluation.attributes.classes import HEADS, UNKNOWN, Head
from hifi_portrait.evaluation.attributes.reader import AttributeReader
from hifi_portrait.evaluation.attributes.training import Examples, TrainingSettings, read_examples, train
from hifi_portrait.head.arrays import Array

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class HeldOutResult:
    """How the photos of one data set's held-out people were read."""

    folder: str
    """The data set."""
    confusion: dict[str, Array]
    """By head, see `confusion`."""

    def to_text(self) -> str:
        """Put accuracies and confused classes into lines for people."""
        lines = []
        for head in HEADS:
            matrix = self.confusion[head.name]
            lines.append(f"{self.folder}: {head.name} {accuracy(matrix):.3f} of {matrix.sum()}")
            lines.append(confusion_text(head, matrix))
        return "\n".join(lines)


def train_and_test(
    data: Sequence[Path], test: Sequence[Path], out: Path, settings: TrainingSettings
) -> list[HeldOutResult]:
    """Train a classifier, save it, and test what was saved.

    Parameters
    ----------
    data
        Data sets: it is trained on their training split and tested on their other people.
    test
        Data sets of other people, on all of whom it is tested too.
    out
        The ``.safetensors`` file.

    Raises
    ------
    DatasetError
        See `read_examples`.
    """
    examples = read_examples(data, held_out=False)
    held_out = {str(folder): read_examples([folder], held_out=True) for folder in data}
    held_out |= {str(folder): read_examples([folder]) for folder in test}
    log.info("training on %d photos", len(examples))
    train(examples, settings).save(out)
    reader = AttributeReader.load(out)
    return [HeldOutResult(name, confusion(reader, photos)) for name, photos in held_out.items()]


def confusion(reader: AttributeReader, examples: Examples, batch: int = 128) -> dict[str, Array]:
    """Count, by head, how often each true group (rows) was read as each group (columns) of `Head.groups`."""
    matrices = {head.name: np.zeros((len(head.groups),) * 2, dtype=int) for head in HEADS}
    for start in range(0, len(examples), batch):
        found = reader.probabilities(examples.pictures[start : start + batch])
        for column, head in enumerate(HEADS):
            grouping = head.grouping()
            group = grouping.argmax(1)
            labels = examples.labels[start : start + batch, column]
            known = labels != UNKNOWN
            read = (found[head.name] @ grouping).argmax(1)
            np.add.at(matrices[head.name], (group[labels[known]], read[known]), 1)
    return matrices


def accuracy(matrix: Array) -> float:
    """Give the fraction of a confusion matrix that lies on its diagonal; NaN for an empty one."""
    return float(np.trace(matrix) / matrix.sum()) if matrix.sum() else float("nan")


def confusion_text(head: Head, matrix: Array) -> str:
    """List, for each group of a head, how often it was read right and what else it was read as."""
    names = ["/".join(group) for group in head.groups]
    lines = []
    for row, name in enumerate(names):
        wrong = [
            f"{names[k]} {matrix[row, k]}" for k in matrix[row].argsort()[::-1] if k != row and matrix[row, k]
        ]
        lines.append(f"  {name}: {matrix[row, row]} of {matrix[row].sum()}; " + (", ".join(wrong) or "none"))
    return "\n".join(lines)
