"""The on-disk format of a data set of panoramas.

A data set is a folder::

    dataset.json                 format name and version
    scenes/<shard>.parquet       one row a panorama: the JPEG file, and what is known of each of its people

A shard is complete once it has its name: it is written beside it and renamed. The counts are those of the
shards that are there, so that several processes may write at once.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hifi_portrait.errors import DatasetError, needs_extra
from hifi_portrait.head.arrays import Array
from hifi_portrait.io.atomic import write_output
from hifi_portrait.io.names import printable
from mmrgaze360.dataset.records import SPLITS, GazeRecord

with needs_extra("data"):
    import pyarrow as pa
    import pyarrow.parquet as pq

    from hifi_portrait.dataset.made_with import Settings, check_settings, read_settings, with_settings

FORMAT_NAME = "mmrgaze360-dataset"
FORMAT_VERSION = 1
JPEG_QUALITY = 92
_ROW_GROUP = 8

_VECTOR = pa.list_(pa.float32(), 3)
PERSON_TYPE = pa.struct(
    {
        "head_box": pa.list_(pa.float32(), 4),
        "target": _VECTOR,
        "in_view": pa.bool_(),
        "gaze": _VECTOR,
        "head_direction": _VECTOR,
        "eyes": _VECTOR,
        "target_distance": pa.float32(),
        "kind": pa.string(),
        "hidden_by": pa.string(),
        "person": pa.int64(),
        "seated": pa.bool_(),
        "close_up": pa.binary(),
    }
)
SCENE_SCHEMA = pa.schema(
    {
        "scene_id": pa.string(),
        "split": pa.string(),
        "image": pa.binary(),
        "width": pa.int32(),
        "height": pa.int32(),
        "source": pa.string(),
        "rotation": pa.list_(pa.float32(), 9),
        "people": pa.list_(PERSON_TYPE),
    }
)
_ARRAYS = ("head_box", "target", "gaze", "head_direction", "eyes")


@dataclass(frozen=True, kw_only=True, eq=False)
class SceneRecord:
    """A panorama of a data set."""

    scene_id: str
    split: str
    """One of ``SPLITS``."""
    image: bytes = field(repr=False)
    """A JPEG or PNG file, twice as wide as high."""
    people: Sequence[GazeRecord]
    source: str = ""
    """Where it is from: "room", the name of the panorama around, or the file's."""
    rotation: Array = field(default_factory=lambda: np.eye(3))
    """(3, 3) by which it was turned from the upright."""

    def picture(self) -> NDArray[np.uint8]:
        """Decode the panorama (H, 2 H, 3).

        Raises
        ------
        DatasetError
            It is damaged.
        """
        try:
            with Image.open(io.BytesIO(self.image)) as opened:
                return np.asarray(opened.convert("RGB"))
        except OSError as error:
            raise DatasetError(f"the picture of scene {self.scene_id} cannot be read: {error}") from error


def encode_jpeg(picture: NDArray[np.uint8], quality: int = JPEG_QUALITY) -> bytes:
    """Encode a picture (H, W, 3)."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=quality, subsampling=0)
    return stream.getvalue()


def shard_path(folder: Path, name: str) -> Path:
    """Give the file of a shard."""
    return folder / "scenes" / f"{name}.parquet"


def write_header(folder: Path) -> None:
    """Make a folder a data set, or check that it is one.

    Raises
    ------
    DatasetError
        It holds something else.
    OutputError
        It cannot be written to.
    """
    header = folder / "dataset.json"
    if header.exists():
        _check_header(folder)
        return
    with write_output(header) as partial:
        partial.write_text(json.dumps({"format": FORMAT_NAME, "version": FORMAT_VERSION}) + "\n")


def write_shard(
    folder: Path, name: str, scenes: Sequence[SceneRecord], settings: Settings | None = None
) -> Path:
    """Write a shard of a data set that has its header, and in it what the scenes were made with.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    path = shard_path(folder, name)
    schema = with_settings(SCENE_SCHEMA, settings or {})
    table = pa.Table.from_pylist([_row(scene) for scene in scenes], schema)
    with write_output(path) as partial:
        pq.write_table(table, partial, compression="zstd", row_group_size=_ROW_GROUP)
    return path


def count_finished(folder: Path, name: str, settings: Settings) -> int:
    """Count the scenes of a shard that is there; 0 where it is not.

    Parameters
    ----------
    folder, name
        The data set's folder, and the shard's name.
    settings
        What it must have been made with. Older releases did not note it: of their shards only the ``size``,
        the columns of a panorama, is known.

    Raises
    ------
    DatasetError
        It was made with other settings, or it is damaged.
    """
    path = shard_path(folder, name)
    if not path.exists():
        return 0
    with _Opened(path) as table:
        widths = table.read(columns=["width"])["width"].to_pylist()
        there = {"size": widths[0] if widths else None} | read_settings(table.schema_arrow)
        check_settings(f"shard {printable(path)}", there, settings)
        return len(widths)


def _row(scene: SceneRecord) -> dict[str, Any]:
    with Image.open(io.BytesIO(scene.image)) as opened:
        width, height = opened.size
    people = []
    for person in scene.people:
        row = {name: getattr(person, name) for name in PERSON_TYPE.names}
        for name in _ARRAYS:
            row[name] = None if row[name] is None else np.asarray(row[name], np.float32)
        people.append(row)
    return {
        "scene_id": scene.scene_id,
        "split": scene.split,
        "image": scene.image,
        "width": width,
        "height": height,
        "source": scene.source,
        "rotation": np.asarray(scene.rotation, np.float32).ravel(),
        "people": people,
    }


def _check_header(folder: Path) -> None:
    file = folder / "dataset.json"
    try:
        header = json.loads(file.read_text())
    except FileNotFoundError as error:
        raise DatasetError(f"{folder} is not a data set: it has no dataset.json") from error
    except (OSError, ValueError) as error:
        raise DatasetError(f"{file} cannot be read: {error}") from error
    if not isinstance(header, dict) or header.get("format") != FORMAT_NAME:
        raise DatasetError(f"{file} does not describe a {FORMAT_NAME}: choose another folder")
    if header.get("version") != FORMAT_VERSION:
        raise DatasetError(
            f"{file} is of version {header.get('version')}; this release reads version {FORMAT_VERSION}"
        )


class SceneDataset:
    """A data set on disk.

    Parameters
    ----------
    path
        Its folder.
    split
        One of ``SPLITS``, or None for all of it.

    Raises
    ------
    DatasetError
        It is missing, damaged, of another version, or has nothing in that split.
    ValueError
        ``split`` is unknown.
    """

    def __init__(self, path: str | Path, split: str | None = None) -> None:
        if split is not None and split not in SPLITS:
            raise ValueError(f"unknown split {split!r}: take one of {', '.join(SPLITS)}")
        self.path = Path(path)
        self.split = split
        _check_header(self.path)
        self._places = self._find()
        if not self._places:
            raise DatasetError(f"{self.path} has no scenes{f' of split {split}' if split else ''}")

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: int) -> SceneRecord:
        shard, group, row = self._places[index]
        with _Opened(shard) as table:
            return _record(table.read_row_group(group).slice(row, 1).to_pylist()[0])

    def __iter__(self) -> Iterator[SceneRecord]:
        """Give all scenes, each shard read once."""
        for shard in sorted({place[0] for place in self._places}):
            with _Opened(shard) as table:
                for group in range(table.num_row_groups):
                    for row in table.read_row_group(group).to_pylist():
                        if self.split in (None, row["split"]):
                            yield _record(row)

    def _find(self) -> list[tuple[Path, int, int]]:
        places = []
        for shard in sorted((self.path / "scenes").glob("*.parquet")):
            with _Opened(shard) as table:
                for group in range(table.num_row_groups):
                    splits = table.read_row_group(group, columns=["split"])["split"].to_pylist()
                    places += [
                        (shard, group, row) for row, split in enumerate(splits) if self.split in (None, split)
                    ]
        return places


def scenes_of_split(path: str | Path, split: str) -> Iterable[SceneRecord]:
    """Open the panoramas of a split, which may be empty.

    Raises
    ------
    DatasetError
        There is no data set, or it has no panorama of any split.
    """
    try:
        return SceneDataset(path, split)
    except DatasetError:
        SceneDataset(path)  # says what is wrong where it is not the split
        return ()


class _Opened:
    """Open a shard; what goes wrong inside becomes an error that names it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> pq.ParquetFile:
        try:
            self._file = pq.ParquetFile(self._path)
        except (OSError, pa.ArrowException) as error:
            raise self._damaged(error) from error
        return self._file

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._file.close()
        if isinstance(error, OSError | pa.ArrowException):
            raise self._damaged(error) from error

    def _damaged(self, error: BaseException) -> DatasetError:
        return DatasetError(f"shard {self._path} cannot be read: {error}. Delete it and write it anew")


def _record(row: dict[str, Any]) -> SceneRecord:
    people = []
    for person in row["people"]:
        for name in _ARRAYS:
            value = person[name]
            person[name] = None if value is None else np.asarray(value, np.float64)
        people.append(GazeRecord(**person))
    return SceneRecord(
        scene_id=row["scene_id"],
        split=row["split"],
        image=row["image"],
        people=people,
        source=row["source"],
        rotation=np.asarray(row["rotation"], np.float64).reshape(3, 3),
    )
