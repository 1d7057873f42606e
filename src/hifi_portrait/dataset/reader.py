"""Reading an ID data set, photo by photo or as pairs of references and a target."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, overload

import numpy as np
import pyarrow as pa

from hifi_portrait.dataset.records import SPLITS, PhotoAnalysis, PhotoRecord, split_of
from hifi_portrait.dataset.rows import TableRows
from hifi_portrait.dataset.tables import (
    decode_matte,
    geometry_from_row,
    read_columns,
    read_header,
    shards,
)
from hifi_portrait.errors import DatasetError
from hifi_portrait.head.arrays import ByteArray

_INDEX = ("identity_id", "photo_id", "offset", "size")
"""Columns that are kept in memory; the others are read when they are asked for."""


class IDDataset(Sequence[PhotoRecord]):
    """Reads a data set: a sequence of :class:`PhotoRecord`, ordered by identity and photo id.

    Only where each photo lies is held in memory; captions, analyses and pictures are read when they are asked
    for.

    Parameters
    ----------
    path
        The data set's folder.
    split
        "train", "validation" or "test" (see :func:`split_of`); None for all identities.
    shard
        Name of the only shard to read; None for all.

    Attributes
    ----------
    identities : dict of str to list of int
        Indices of the photos of each identity id.

    Raises
    ------
    DatasetError
        The folder is not a data set that this release reads or is damaged, or there is no such split.
    """

    def __init__(self, path: str | Path, *, split: str | None = None, shard: str | None = None) -> None:
        self.path = Path(path)
        read_header(self.path)
        if split is not None and split not in SPLITS:
            raise DatasetError(f"unknown split {split!r}: choose one of {', '.join(SPLITS)}")
        self._shards = [name for name in shards(self.path) if shard in (None, name)]
        self._index = self._read_index(split)
        self._tables = TableRows()
        self.identities: dict[str, list[int]] = {}
        for index, identity_id in enumerate(self._index["identity_id"].to_pylist()):
            self.identities.setdefault(identity_id, []).append(index)

    def __len__(self) -> int:
        return int(self._index.num_rows)

    @overload
    def __getitem__(self, index: int) -> PhotoRecord: ...

    @overload
    def __getitem__(self, index: slice) -> list[PhotoRecord]: ...

    def __getitem__(self, index: int | slice) -> PhotoRecord | list[PhotoRecord]:
        """Read the record at an index, or the records of a slice.

        Raises
        ------
        DatasetError
            The shard cannot be read, or is shorter than its table says.
        """
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        return replace(self.entry(index), image=self.image(index))

    def entry(self, index: int) -> PhotoRecord:
        """Give the record at an index without its picture: ``image`` is empty and no shard is read."""
        place = self._place(index)
        shard = self._shards[place["shard"]]
        row = self._tables.row(self.path / "photos" / f"{shard}.parquet", place["row"])
        return PhotoRecord(
            identity_id=row["identity_id"],
            photo_id=row["photo_id"],
            image=b"",
            caption=row["caption"],
            attributes=json.loads(row["attributes"]),
            truth=geometry_from_row(row["truth"]),
            analysis=self._analysis_of(shard, row["identity_id"], row["photo_id"]),
            width=row["width"],
            height=row["height"],
            face=row.get("face") or 0,
            box=_array(row.get("box"), (4,)),
            sha256=row.get("sha256") or "",
            source=row.get("source") or "",
            original=row.get("original") or "",
            frame=row.get("frame"),
            sitting=row.get("sitting"),
        )

    def image(self, index: int) -> bytes:
        """Read the encoded picture at an index, and nothing else.

        Raises
        ------
        DatasetError
            The shard cannot be read, or is shorter than its table says.
        """
        place = self._place(index)
        path = self.path / "images" / f"{self._shards[place['shard']]}.tar"
        try:
            with path.open("rb") as file:
                file.seek(place["offset"])
                image = file.read(place["size"])
        except OSError as error:
            raise DatasetError(
                f"shard {path} cannot be read: {error}. Restore it or write it anew"
            ) from error
        if len(image) != place["size"]:
            raise DatasetError(f"shard {path} is shorter than its table says. Restore it or write it anew")
        return image

    def pixels(self, index: int) -> ByteArray:
        """Decode the picture at an index, (H, W, 3) RGB, and read nothing else.

        Raises
        ------
        DatasetError
            The shard cannot be read, or the picture cannot be decoded.
        """
        place = self._place(index)
        record = PhotoRecord(
            identity_id=place["identity_id"], photo_id=place["photo_id"], image=self.image(index)
        )
        return record.pixels()

    def pairs(
        self,
        rng: np.random.Generator,
        n_references: tuple[int, int] = (1, 8),
        *,
        usable: Callable[[int], bool] | None = None,
    ) -> Iterator[tuple[list[PhotoRecord], PhotoRecord]]:
        """Yield (references, target) of one identity each, without end; see :func:`sample_pairs`."""
        for references, target in sample_pairs(self.identities.values(), rng, n_references, usable=usable):
            yield [self[i] for i in references], self[target]

    def _read_index(self, split: str | None) -> pa.Table:
        """Read where each photo lies, in the order of the records."""
        tables = []
        for number, shard in enumerate(self._shards):
            table = read_columns(self.path / "photos" / f"{shard}.parquet", _INDEX)
            rows = pa.array(np.arange(table.num_rows, dtype=np.int32))
            numbers = pa.array(np.full(table.num_rows, number, np.int32))
            tables.append(table.append_column("row", rows).append_column("shard", numbers))
        if not tables:
            names = (*_INDEX, "row", "shard")
            return pa.table(
                {name: pa.array([], pa.string() if "id" in name else pa.int64()) for name in names}
            )
        index = pa.concat_tables(tables)
        if split is not None:
            ids = index["identity_id"].to_pylist()
            index = index.filter(pa.array([split_of(i) == split for i in ids], pa.bool_()))
        return index.sort_by([("identity_id", "ascending"), ("photo_id", "ascending")]).combine_chunks()

    def _place(self, index: int) -> dict[str, Any]:
        if not -len(self) <= index < len(self):
            raise IndexError(f"photo {index} of a data set of {len(self)}")
        place: dict[str, Any] = self._index.slice(index % len(self), 1).to_pylist()[0]
        return place

    def _analysis_of(self, shard: str, identity_id: str, photo_id: str) -> PhotoAnalysis | None:
        row = self._tables.find(self.path / "analysis" / f"{shard}.parquet", identity_id, photo_id)
        if row is None:
            return None
        if not row["found"]:
            return PhotoAnalysis(found=False, reason=row["reason"])
        return PhotoAnalysis(
            found=True,
            landmarks=_array(row["landmarks"], (478, 3)),
            crop_transform=_array(row["crop_transform"], (3, 3)),
            crop_size=row["crop_size"],
            embedding=_array(row["embedding"], (-1,)),
            recogniser=row.get("recogniser") or "",
            quality=row["quality"],
            matte=decode_matte(row["matte"]),
            fit=geometry_from_row(row["fit"]),
            residual=row["residual"],
        )


def _array(values: Sequence[float] | None, shape: tuple[int, ...]) -> Any:
    return None if values is None else np.asarray(values, np.float32).reshape(shape)


def sample_pairs(
    identities: Iterable[Sequence[int]],
    rng: np.random.Generator,
    n_references: tuple[int, int] = (1, 8),
    *,
    usable: Callable[[int], bool] | None = None,
) -> Iterator[tuple[list[int], int]]:
    """Yield (reference indices, target index) without end, both of one identity.

    Every pass visits each identity that has two usable photos once, in a new random order. The target is
    never among the references.

    Parameters
    ----------
    identities
        Indices of the photos of each identity.
    rng
        Draws identities, targets and references.
    n_references
        Least and greatest number of references, which is uniform between them, both included. Where an
        identity has fewer photos, all of its others are references.
    usable
        Whether the photo of an index may be used; all may by default.

    Raises
    ------
    DatasetError
        ``n_references`` is no such range, or no identity has two usable photos.
    """
    low, high = n_references
    if not 1 <= low <= high:
        raise DatasetError(f"n_references must be (low, high) with 1 <= low <= high, not {n_references}")
    groups = [[i for i in group if usable is None or usable(i)] for group in identities]
    groups = [group for group in groups if len(group) >= 2]
    if not groups:
        raise DatasetError("no identity has two usable photos: pairs need a reference and a target")
    while True:
        for place in rng.permutation(len(groups)):
            target, *others = (int(i) for i in rng.permutation(groups[place]))
            yield others[: int(rng.integers(low, high + 1))], target
