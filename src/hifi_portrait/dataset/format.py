"""The one on-disk format of an ID data set: many photos each of many people. See ``docs/dataset.md``.

A data set is a folder::

    dataset.json                 format name, version, counts
    images/<shard>.tar           the encoded pictures, one plain tar a shard
    photos/<shard>.parquet       one row a picture of that shard: who, where in the tar, caption, truth
    analysis/<shard>.parquet     one row a picture: what perception found (optional)

A shard holds whole identities and is committed by the appearance of its ``photos`` table, written last.
"""

from __future__ import annotations

import io
import json
import os
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa
from PIL import Image

from hifi_portrait.dataset.tables import (
    ANALYSIS_SCHEMA,
    PHOTO_SCHEMA,
    column,
    decode_matte,
    encode_matte,
    geometry_from_row,
    geometry_row,
    read_header,
    read_tables,
    write_header,
    write_table,
)
from hifi_portrait.errors import DatasetError
from hifi_portrait.head import HeadGeometry

SPLITS = {"train": 0.96, "validation": 0.02, "test": 0.02}


@dataclass(frozen=True, kw_only=True)
class PhotoAnalysis:
    """What perception found in one photo; ``reason`` says why there is no usable face.

    ``landmarks`` (478, 3) in photo pixels; ``crop_transform`` (3, 3) from photo to portrait-crop pixels;
    ``crop_size`` side of that crop; ``embedding`` (128,) unit norm; ``quality`` in [0, 1]; ``matte``
    (crop_size, crop_size) float32 in [0, 1], kept to 8 bits; ``fit`` the head
    in crop pixels, from the joint fit of all the identity's photos; ``residual`` of that fit.
    """

    found: bool
    reason: str = ""
    landmarks: np.ndarray | None = None
    crop_transform: np.ndarray | None = None
    crop_size: int = 0
    embedding: np.ndarray | None = None
    quality: float = 0.0
    matte: np.ndarray | None = None
    fit: HeadGeometry | None = None
    residual: float = 0.0


@dataclass(frozen=True, kw_only=True)
class PhotoRecord:
    """One photo of a data set: ``image`` is the encoded file, ``truth`` the head in photo pixels or None.

    ``attributes`` is anything JSON can hold. ``width`` and ``height`` are read from ``image`` when left at 0.
    """

    identity_id: str
    photo_id: str
    image: bytes = field(repr=False)
    caption: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    truth: HeadGeometry | None = None
    analysis: PhotoAnalysis | None = None
    width: int = 0
    height: int = 0

    @classmethod
    def from_pixels(cls, pixels: np.ndarray, *, jpeg_quality: int | None = None, **fields: Any) -> Self:
        """Record of a uint8 (H, W, 3) picture, encoded as PNG, or as JPEG where ``jpeg_quality`` is given."""
        stream = io.BytesIO()
        if jpeg_quality is None:
            Image.fromarray(pixels).save(stream, "PNG", compress_level=2)
        else:
            Image.fromarray(pixels).save(stream, "JPEG", quality=jpeg_quality, subsampling=0)
        height, width = pixels.shape[:2]
        return cls(image=stream.getvalue(), width=width, height=height, **fields)

    def pixels(self) -> np.ndarray:
        """The picture, uint8 (H, W, 3). Raises DatasetError where it cannot be decoded."""
        try:
            with Image.open(io.BytesIO(self.image)) as picture:
                return np.asarray(picture.convert("RGB"))
        except (OSError, SyntaxError) as error:
            name = f"{self.identity_id}/{self.photo_id}"
            raise DatasetError(f"photo {name} cannot be decoded: {error}. Write its shard anew") from error


def split_of(identity_id: str) -> str:
    """The split ("train", "validation" or "test") of an identity, by a hash of its id: it never changes."""
    place = int.from_bytes(blake2b(identity_id.encode(), digest_size=8).digest(), "big") / 2**64
    for name, share in SPLITS.items():
        if place < share:
            return name
        place -= share
    return name


class IDDatasetWriter:
    """Writes a data set identity by identity; after a kill it goes on from the last finished shard.

    Several writers may fill one folder at once if each has its own ``name``. Call :meth:`close`, or leave
    the ``with`` block, to commit the last shard and the counts.

    Parameters
    ----------
    path : folder, made where it does not exist
    name : prefix of this writer's shards
    shard_photos : a shard is closed once it holds at least this many photos
    """

    def __init__(self, path: str | Path, *, name: str = "a", shard_photos: int = 512) -> None:
        self.path = Path(path)
        self.name = name
        self.shard_photos = shard_photos
        if (self.path / "dataset.json").exists():
            read_header(self.path)
        for folder in ("images", "photos", "analysis"):
            (self.path / folder).mkdir(parents=True, exist_ok=True)
        if not (self.path / "dataset.json").exists():
            write_header(self.path)
        self.complete: set[str] = set(column(self.path, "identity_id"))
        self._next_shard = len(list((self.path / "photos").glob(f"{name}-*.parquet")))
        self._rows: list[dict[str, Any]] = []
        self._tar: tarfile.TarFile | None = None

    def add(self, identity_id: str, photos: Sequence[PhotoRecord]) -> None:
        """Add all photos of one identity. Raises DatasetError for an identity that is already there."""
        if identity_id in self.complete:
            raise DatasetError(f"identity {identity_id!r} is already in {self.path}: add each identity once")
        ids = [photo.photo_id for photo in photos]
        if not ids or len(set(ids)) != len(ids) or any(p.identity_id != identity_id for p in photos):
            raise DatasetError(f"photos of {identity_id!r}: give at least one, all of it, each photo_id once")
        for photo in photos:
            self._append(photo)
        self.complete.add(identity_id)
        if len(self._rows) >= self.shard_photos:
            self.flush()

    def flush(self) -> None:
        """Commit the photos added so far as one shard."""
        if self._tar is None:
            return
        shard = self._shard
        self._tar.close()
        self._tar = None
        os.replace(self._partial, self.path / "images" / f"{shard}.tar")
        if all(row["analysis"] is not None for row in self._rows):
            rows = [(row["identity_id"], row["photo_id"], row["analysis"]) for row in self._rows]
            write_analysis(self.path, shard, rows)
        write_table(self.path / "photos" / f"{shard}.parquet", self._rows, PHOTO_SCHEMA)
        self._rows = []
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

    @property
    def _shard(self) -> str:
        return f"{self.name}-{self._next_shard:05d}"

    @property
    def _partial(self) -> Path:
        return self.path / "images" / f"{self._shard}.tar.partial"

    def _append(self, photo: PhotoRecord) -> None:
        if self._tar is None:
            self._tar = tarfile.open(self._partial, "w", format=tarfile.GNU_FORMAT)  # noqa: SIM115
        if not (photo.width and photo.height):
            height, width = photo.pixels().shape[:2]
            photo = replace(photo, width=width, height=height)
        suffix = "png" if photo.image.startswith(b"\x89PNG") else "jpg"
        entry = tarfile.TarInfo(f"{photo.identity_id}.{photo.photo_id}.{suffix}")
        entry.size = len(photo.image)
        header = len(entry.tobuf(tarfile.GNU_FORMAT))
        offset = self._tar.offset + header
        self._tar.addfile(entry, io.BytesIO(photo.image))
        self._rows.append(
            {
                "identity_id": photo.identity_id,
                "photo_id": photo.photo_id,
                "shard": self._shard,
                "offset": offset,
                "size": entry.size,
                "width": photo.width,
                "height": photo.height,
                "caption": photo.caption,
                "attributes": json.dumps(dict(photo.attributes), sort_keys=True),
                "truth": geometry_row(photo.truth),
                "analysis": photo.analysis,
            }
        )


class IDDataset(Sequence[PhotoRecord]):
    """Reads a data set: a sequence of :class:`PhotoRecord`, ordered by identity and photo id.

    ``identities`` maps each identity id to the indices of its photos. Raises DatasetError where the folder is
    not a data set of this version, or damaged.

    Parameters
    ----------
    path : the data set's folder
    split : "train", "validation" or "test" (see :func:`split_of`); None for all identities
    shard : read this shard only
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

    def __getitem__(self, index: Any) -> Any:
        """The record at an index, or the list of records of a slice."""
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(f"photo {index} of a data set of {len(self)}")
        return replace(self.entry(index), image=self._read_image(self._row(index)))

    def entry(self, index: int) -> PhotoRecord:
        """The record at an index without its picture: ``image`` is empty and no shard is read."""
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
        """Endless (references, target) of one identity each; see :func:`sample_pairs`."""
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
    """Endless pairs (reference indices, target index), both of one identity, the target never a reference.

    Every pass visits each identity that has two usable photos once, in a new random order. The number of
    references is uniform in ``n_references`` (both ends included), or all the others where there are fewer.
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


def write_analysis(path: str | Path, shard: str, rows: Iterable[tuple[str, str, PhotoAnalysis]]) -> None:
    """Write the analysis table of one shard: (identity_id, photo_id, analysis) of each of its photos."""
    table = []
    for identity_id, photo_id, analysis in rows:
        row = {name: getattr(analysis, name) for name in ANALYSIS_SCHEMA.names[2:]}
        for name in ("landmarks", "crop_transform"):
            row[name] = None if row[name] is None else np.asarray(row[name], np.float32).ravel()
        row |= {"identity_id": identity_id, "photo_id": photo_id, "fit": geometry_row(analysis.fit)}
        row["matte"] = None if analysis.matte is None else encode_matte(analysis.matte)
        table.append(row)
    write_table(Path(path) / "analysis" / f"{shard}.parquet", table, ANALYSIS_SCHEMA)
