"""Writing an ID data set, shard by shard, so that a killed run continues from the last finished shard."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from hifi_portrait.dataset.made_with import Settings, with_settings
from hifi_portrait.dataset.records import PhotoAnalysis, PhotoRecord, true_suffix
from hifi_portrait.dataset.tables import (
    ANALYSIS_SCHEMA,
    PHOTO_SCHEMA,
    column,
    encode_matte,
    geometry_row,
    read_header,
    write_header,
    write_table,
)
from hifi_portrait.errors import DatasetError
from hifi_portrait.io.atomic import atomic_write


class IDDatasetWriter:
    """Writes a data set identity by identity; after a kill it continues from the last finished shard.

    Several writers may fill one folder at once if each has its own ``name``. Call :meth:`close`, or leave
    the ``with`` block, to commit the last shard and the counts.

    Parameters
    ----------
    path
        The data set's folder, made where it does not exist.
    name
        Prefix of the names of this writer's shards.
    shard_photos
        A shard is closed once it holds at least this many photos.
    settings
        What the photos are made with, which their tables keep.

    Attributes
    ----------
    complete : set of str
        The identities that are in the data set, or were added to it.

    Raises
    ------
    DatasetError
        The folder holds a data set of another version, or a damaged one.
    """

    def __init__(
        self, path: str | Path, *, name: str = "a", shard_photos: int = 512, settings: Settings | None = None
    ) -> None:
        self.path = Path(path)
        self.name = name
        self.shard_photos = shard_photos
        self.settings = settings or {}
        if (self.path / "dataset.json").exists() and "shards" in read_header(self.path):
            raise DatasetError(
                f"{self.path} was built by `hifi-portrait dataset build`: add to it by"
                " `hifi-portrait dataset add`, or write to another folder"
            )
        for folder in ("images", "photos", "analysis"):
            (self.path / folder).mkdir(parents=True, exist_ok=True)
        if not (self.path / "dataset.json").exists():
            write_header(self.path)
        self.complete: set[str] = set(column(self.path, "identity_id"))
        self._next_shard = len(list((self.path / "photos").glob(f"{name}-*.parquet")))
        self._open: ShardWriter | None = None

    def add(self, identity_id: str, photos: Sequence[PhotoRecord]) -> None:
        """Add all photos of one identity.

        Raises
        ------
        DatasetError
            The identity is already there, or its photos are none, of another identity, or given twice.
        """
        if identity_id in self.complete:
            raise DatasetError(f"identity {identity_id!r} is already in {self.path}: add each identity once")
        ids = [photo.photo_id for photo in photos]
        if not ids or len(set(ids)) != len(ids) or any(p.identity_id != identity_id for p in photos):
            raise DatasetError(f"photos of {identity_id!r}: give at least one, all of it, each photo_id once")
        if self._open is None:
            name = f"{self.name}-{self._next_shard:05d}"
            self._open = ShardWriter(self.path, name, self.settings)
        for photo in photos:
            self._open.append(photo)
        self.complete.add(identity_id)
        if len(self._open) >= self.shard_photos:
            self.flush()

    def flush(self) -> None:
        """Commit the photos added so far as one shard."""
        if self._open is not None:
            self._open.commit()
            self._open = None
            self._next_shard += 1

    def close(self) -> None:
        """Commit what is left and bring the counts in ``dataset.json`` up to date."""
        self.flush()
        write_header(self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        elif self._open is not None:
            self._open.abandon()
            self._open = None


class ShardWriter:
    """Writes one shard; it is there once its ``photos`` table is, which is written last.

    Parameters
    ----------
    path
        The data set's folder.
    name
        Name of the shard.
    settings
        What its photos are made with.
    """

    def __init__(self, path: Path, name: str, settings: Settings | None = None) -> None:
        self.path, self.name = path, name
        self._schema = with_settings(PHOTO_SCHEMA, settings or {})
        self._rows: list[dict[str, Any]] = []
        self._file = ExitStack()
        partial = self._file.enter_context(atomic_write(path / "images" / f"{name}.tar"))
        opened = tarfile.open(partial, "w", format=tarfile.GNU_FORMAT)  # noqa: SIM115  (the stack closes it)
        self._tar = self._file.enter_context(opened)

    def __len__(self) -> int:
        return len(self._rows)

    def append(self, photo: PhotoRecord) -> None:
        """Add a photo."""
        if not (photo.width and photo.height):
            height, width = photo.pixels().shape[:2]
            photo = replace(photo, width=width, height=height)
        sitting = photo.sitting if photo.sitting is not None else photo.attributes.get("sitting")
        entry = tarfile.TarInfo(f"{photo.identity_id}/{photo.photo_id}.{true_suffix(photo.image)}")
        entry.size = len(photo.image)
        header = len(entry.tobuf(tarfile.GNU_FORMAT))
        offset = self._tar.offset + header
        self._tar.addfile(entry, io.BytesIO(photo.image))
        self._rows.append(
            {
                "identity_id": photo.identity_id,
                "photo_id": photo.photo_id,
                "shard": self.name,
                "offset": offset,
                "size": entry.size,
                "width": photo.width,
                "height": photo.height,
                "caption": photo.caption,
                "attributes": json.dumps(dict(photo.attributes), sort_keys=True),
                "truth": geometry_row(photo.truth),
                "face": photo.face,
                "box": None if photo.box is None else np.asarray(photo.box, np.float32),
                "sha256": photo.sha256 or sha256(photo.image).hexdigest(),
                "source": photo.source,
                "original": photo.original,
                "frame": photo.frame,
                "sitting": None if sitting is None else int(sitting),
                "analysis": photo.analysis,
            }
        )

    def commit(self) -> None:
        """Finish the shard."""
        self._file.close()
        if all(row["analysis"] is not None for row in self._rows):
            rows = [(row["identity_id"], row["photo_id"], row["analysis"]) for row in self._rows]
            write_analysis(self.path, self.name, rows)
        write_table(self.path / "photos" / f"{self.name}.parquet", self._rows, self._schema)

    def abandon(self) -> None:
        """Leave no trace of it."""
        self._file.__exit__(DatasetError, DatasetError(f"shard {self.name} was abandoned"), None)


def write_analysis(path: str | Path, shard: str, rows: Iterable[tuple[str, str, PhotoAnalysis]]) -> None:
    """Write the analysis table of one shard atomically.

    Parameters
    ----------
    path
        The data set's folder.
    shard
        Name of the shard.
    rows
        Identity id, photo id and analysis of each of its photos.
    """
    table = []
    for identity_id, photo_id, analysis in rows:
        row = {name: getattr(analysis, name) for name in ANALYSIS_SCHEMA.names[2:]}
        for name in ("landmarks", "crop_transform", "embedding"):
            row[name] = None if row[name] is None else np.asarray(row[name], np.float32).ravel()
        row |= {"identity_id": identity_id, "photo_id": photo_id, "fit": geometry_row(analysis.fit)}
        row["matte"] = None if analysis.matte is None else encode_matte(analysis.matte)
        table.append(row)
    write_table(Path(path) / "analysis" / f"{shard}.parquet", table, ANALYSIS_SCHEMA)
