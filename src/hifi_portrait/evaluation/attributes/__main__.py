"""Train the attribute classifier: ``python -m hifi_portrait.evaluation.attributes --data DIR --out FILE``.

It trains on the training split of the data sets given, and prints its accuracy on their other people, and on
those of ``--test``.
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from hifi_portrait.evaluation.attributes.classes import HEADS
from hifi_portrait.evaluation.attributes.reader import AttributeReader
from hifi_portrait.evaluation.attributes.training import (
    Examples,
    TrainingSettings,
    accuracy,
    confusion,
    confusion_text,
    read_examples,
    train,
)
from hifi_portrait.training.engine.run import exit_code

log = logging.getLogger(__name__)


def main() -> int:
    """Parse the command line, train, and say how often the classifier is right."""
    parser = argparse.ArgumentParser(prog="hifi_portrait.evaluation.attributes", description=__doc__)
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="data sets of synthetic people")
    parser.add_argument("--test", type=Path, nargs="+", default=[], help="data sets of others, to test on")
    parser.add_argument("--out", type=Path, required=True, help="the classifier's .safetensors file")
    parser.add_argument("--epochs", type=int, default=TrainingSettings.epochs)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    return exit_code(lambda: _train(given.data, given.test, given.out, given.epochs))


def _train(data: list[Path], test: list[Path], out: Path, epochs: int) -> None:
    examples = read_examples(data, held_out=False)
    held_out = {str(folder): read_examples([folder], held_out=True) for folder in data}
    held_out |= {str(folder): read_examples([folder]) for folder in test}
    log.info("training on %d photos", len(examples))
    train(examples, TrainingSettings(epochs=epochs)).save(out)
    reader = AttributeReader.load(out)
    for name, photos in held_out.items():
        _tell(name, photos, reader)


def _tell(name: str, photos: Examples, reader: AttributeReader) -> None:
    matrices = confusion(reader, photos)
    for head in HEADS:
        matrix = matrices[head.name]
        log.info("%s: %s %.3f of %d", name, head.name, accuracy(matrix), matrix.sum())
        log.info("%s", confusion_text(head, matrix))


if __name__ == "__main__":
    sys.exit(main())
