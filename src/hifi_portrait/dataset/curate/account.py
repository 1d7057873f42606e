"""What became of each file that was given: it is in the data set, or among the rejected ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hifi_portrait.dataset.curate.state import State, read_batch
from hifi_portrait.dataset.tables import read_columns
from hifi_portrait.errors import DatasetError
from hifi_portrait.io.names import printable


@dataclass(frozen=True, kw_only=True)
class BuildResult:
    """What is in a data set now."""

    files: int
    """Files that were given, in all."""
    photos: int
    """Rows of the data set: a photo of two people counts twice."""
    identities: int
    used: int
    """Files of which at least one face is in the data set; the others are in the table of rejected ones."""
    reasons: Mapping[str, int]
    """How many rows the table of rejected files and faces has, by reason."""


def account(out: Path, state: State) -> BuildResult:
    """Count what became of each file.

    Raises
    ------
    DatasetError
        A file that was given is neither in the data set nor among the rejected ones.
    """
    files = {
        (file.source, file.original)
        for number in range(state.batches)
        for file in read_batch(out, number).files
        if file.source
    }
    used: set[tuple[str, str]] = set()
    identities: set[str] = set()
    photos = 0
    for shard in state.shards:
        table = read_columns(out / "photos" / f"{shard}.parquet", ("identity_id", "source", "original"))
        identities.update(table["identity_id"].to_pylist())
        used.update(zip(table["source"].to_pylist(), table["original"].to_pylist(), strict=True))
        photos += table.num_rows
    rejected = state.rows(out, "rejected")
    missing = files - used - {(row["source"], row["original"]) for row in rejected}
    if missing:
        raise DatasetError(
            f"{len(missing)} files are neither in {printable(out)} nor among the rejected ones, such as"
            f" {sorted(missing)[0][1]}: build it anew, and report this"
        )
    return BuildResult(
        files=len(files),
        photos=photos,
        identities=len(identities),
        used=len(used),
        reasons=dict(sorted(Counter(row["reason"] for row in rejected).items())),
    )
