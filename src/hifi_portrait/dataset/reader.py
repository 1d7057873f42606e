"""Reading an ID data set, photo by photo or as pairs of references and a target."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, overload

import numpy as np
import pyarrow as pa

from hifi_portrait.dataset.records import SPLITS, PhotoAnalysis, PhotoRecord, split_of
from hifi_portrait.dataset.tables import (
    ANALYSIS_SCHEMA,
    PHOTO_SCHEMA,
    decode_matte,
    geometry_from_row,
    read_header,
    read_tables,
)
from hifi_portrait.errors import DatasetError


class IDDataset(Sequence[PhotoRecord]):
    """Reads a data set: a sequence of :class:`PhotoRecord`, ordered by identity and photo id.

    Parameters
    ----------
    path
        The data set's folder.
    split
        "train", "validation" or "test" (see :func:`split_of`); None for all identities.
    shard
        Name of the only shard to read, or a pattern of names.

    Attributes
    ----------
    identities : dict of str to list of int
        Indices of the photos of each identity id.

    Raises
    ------
    DatasetError
        The folder is not a data set of this version or is damaged, or there is no such split.
    """

    def __init__(self, path: str | Path, *, split: str | None = None, shard: str = "*") -> None:
        self.path = Path(path)
        read_header(self.path)
        if split is not None and split not in SPLITS:
            raise DatasetError(f"unknown split {split!r}: choose one of {', '.join(SPLITS)}")
        photos = read_tables(self.path / "photos", PHOTO_SCHEMA, shard)
        if split is not None:
            ids = photos["identity_id"].to_pylist()
            photos = photos.filter(pa.array([split_of(i) == split for i in ids], pa.bool_()))
        photos = photos.sort_by([("identity_id", "ascending"), ("photo_id", "ascending")])
        self._photos = photos.combine_chunks()
        self._analysis = read_tables(self.path / "analysis", ANALYSIS_SCHEMA, shard)
        analysed = zip(
            self._analysis["identity_id"].to_pylist(), self._analysis["photo_id"].to_pylist(), strict=True
        )
        self._analysis_row = {key: row for row, key in enumerate(analysed)}
        self.identities: dict[str, list[int]] = {}
        for index, identity_id in enumerate(self._photos["identity_id"].to_pylist()):
            self.identities.setdefault(identity_id, []).append(index)

    def __len__(self) -> int:
        return int(self._photos.num_rows)

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
        if not -len(self) <= index < len(self):
            raise IndexError(f"photo {index} of a data set of {len(self)}")
        return replace(self.entry(index), image=self._read_image(self._row(index)))

    def entry(self, index: int) -> PhotoRecord:
        """Give the record at an index without its picture: ``image`` is empty and no shard is read."""
        row = self._row(index)
        return PhotoRecord(
            identity_id=row["identity_id"],
            photo_id=row["photo_id"],
            image=b"",
            caption=row["caption"],
            attributes=json.loads(row["attributes"]),
            truth=geometry_from_row(row["truth"]),
            analysis=self._analysis_of(row["identity_id"], row["photo_id"]),
            width=row["width"],
            height=row["height"],
        )

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

    def _row(self, index: int) -> dict[str, Any]:
        row: dict[str, Any] = self._photos.slice(index % len(self), 1).to_pylist()[0]
        return row

    def _read_image(self, row: Mapping[str, Any]) -> bytes:
        path = self.path / "images" / f"{row['shard']}.tar"
        try:
            with path.open("rb") as file:
                file.seek(row["offset"])
                image = file.read(row["size"])
        except OSError as error:
            raise DatasetError(
                f"shard {path} cannot be read: {error}. Restore it or write it anew"
            ) from error
        if len(image) != row["size"]:
            raise DatasetError(f"shard {path} is shorter than its table says. Restore it or write it anew")
        return image

    def _analysis_of(self, identity_id: str, photo_id: str) -> PhotoAnalysis | None:
        place = self._analysis_row.get((identity_id, photo_id))
        if place is None:
            return None
        row = self._analysis.slice(place, 1).to_pylist()[0]
        if not row["found"]:
            return PhotoAnalysis(found=False, reason=row["reason"])
        return PhotoAnalysis(
            found=True,
            landmarks=np.asarray(row["landmarks"], np.float32).reshape(478, 3),
            crop_transform=np.asarray(row["crop_transform"], np.float32).reshape(3, 3),
            crop_size=row["crop_size"],
            embedding=np.asarray(row["embedding"], np.float32),
            quality=row["quality"],
            matte=decode_matte(row["matte"]),
            fit=geometry_from_row(row["fit"]),
            residual=row["residual"],
        )


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
