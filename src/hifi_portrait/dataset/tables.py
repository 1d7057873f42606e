"""The tables of an ID data set: their columns and files, and the header beside them."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zlib import Z_RLE

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from hifi_portrait.errors import DatasetError
from hifi_portrait.head import HeadGeometry
from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.geometry import GEOMETRY_SHAPES
from hifi_portrait.io.atomic import atomic_write

FORMAT_NAME = "hifi-portrait-id-dataset"
"""What ``dataset.json`` of every data set says."""

FORMAT_VERSION = 2
"""Version of the format that is written. Version 1 is read as well."""

READ_VERSIONS = (1, 2)

ROW_GROUP = 64
"""Rows that are read from a table at once, where one is asked for."""


def _vector(size: int) -> pa.DataType:
    return pa.list_(pa.float32(), size)


GEOMETRY_TYPE = pa.struct(
    {
        name: pa.list_(pa.float64() if name == "camera" else pa.float32(), math.prod(shape))
        for name, shape in GEOMETRY_SHAPES.items()
    }
)
"""A head in pixels of the photo (``truth``) or of the portrait crop (``fit``)."""

PHOTO_SCHEMA = pa.schema(
    {
        "identity_id": pa.string(),
        "photo_id": pa.string(),
        "shard": pa.string(),
        "offset": pa.int64(),
        "size": pa.int64(),
        "width": pa.int32(),
        "height": pa.int32(),
        "caption": pa.string(),
        "attributes": pa.string(),
        "truth": GEOMETRY_TYPE,
        "face": pa.int32(),
        "box": _vector(4),
        "sha256": pa.string(),
        "source": pa.string(),
        "original": pa.string(),
        "frame": pa.float64(),
        "sitting": pa.int64(),
    }
)
"""Columns of a shard's ``photos`` table: the fields of `PhotoRecord`, and where in the shard its file is.

Those from ``face`` on are not in version 1."""

ANALYSIS_SCHEMA = pa.schema(
    {
        "identity_id": pa.string(),
        "photo_id": pa.string(),
        "found": pa.bool_(),
        "reason": pa.string(),
        "landmarks": _vector(478 * 3),
        "crop_transform": _vector(9),
        "crop_size": pa.int32(),
        "recogniser": pa.string(),
        "embedding": pa.list_(pa.float32()),
        "quality": pa.float32(),
        "matte": pa.binary(),
        "fit": GEOMETRY_TYPE,
        "residual": pa.float32(),
    }
)
"""Columns of a shard's ``analysis`` table: the fields of `PhotoAnalysis`, arrays as flat lists.

In version 1 there is no ``recogniser``, and all embeddings have 128 numbers."""


def geometry_row(geometry: HeadGeometry | None) -> dict[str, Any] | None:
    """Turn a head into a row of ``GEOMETRY_TYPE``, whose camera keeps double precision; None for None."""
    if geometry is None:
        return None
    arrays = {name: array.ravel() for name, array in geometry.to_dict().items()}
    return arrays | {"camera": list(map(float, geometry.camera.to_numbers()))}


def geometry_from_row(row: Mapping[str, Any] | None) -> HeadGeometry | None:
    """Invert :func:`geometry_row`; None for None."""
    return None if row is None else HeadGeometry.from_dict(row)


def shards(path: str | Path) -> list[str]:
    """List the names of the committed shards of a data set.

    The header of a set that was built lists them; of one that writers fill, they are the ``photos`` tables.
    """
    listed = read_header(Path(path)).get("shards")
    if listed is not None:
        return sorted(listed)
    return sorted(file.stem for file in (Path(path) / "photos").glob("*.parquet"))


def encode_matte(matte: Array) -> bytes:
    """Encode a matte (S, S) in [0, 1] as an 8-bit PNG."""
    stream = io.BytesIO()
    picture = Image.fromarray(np.rint(np.asarray(matte) * 255).astype(np.uint8))
    picture.save(stream, "PNG", compress_type=Z_RLE)  # quicker than the default, and smaller: 12 for 14 KB
    return stream.getvalue()


def decode_matte(data: bytes | None) -> FloatArray | None:
    """Invert :func:`encode_matte`; None for None."""
    if data is None:
        return None
    with Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture, np.float32) / np.float32(255)


def write_table(path: Path, rows: list[dict[str, Any]], schema: pa.Schema) -> None:
    """Write rows as a Parquet file, atomically; each row must have all columns of the schema."""
    rows = [{name: row[name] for name in schema.names} for row in rows]
    with atomic_write(path) as partial:
        table = pa.Table.from_pylist(rows, schema)
        pq.write_table(table, partial, compression="zstd", row_group_size=ROW_GROUP)


def read_columns(file: Path, names: Sequence[str]) -> pa.Table:
    """Read some columns of a table; one that an older version does not have is all null.

    Raises
    ------
    DatasetError
        The table is damaged.
    """
    with opened_table(file) as table:
        there = [name for name in names if name in table.schema_arrow.names]
        read = table.read(columns=there)
    for name in set(names) - set(there):
        read = read.append_column(name, pa.nulls(read.num_rows))
    return read.select(list(names))


@contextmanager
def opened_table(file: Path) -> Iterator[pq.ParquetFile]:
    """Open a table; what goes wrong inside the context becomes an error that names it.

    Raises
    ------
    DatasetError
        The table is missing or damaged.
    """
    try:
        with pq.ParquetFile(file) as table:
            yield table
    except (OSError, pa.ArrowException) as error:
        raise DatasetError(f"table {file} cannot be read: {error}. Delete it and write it anew") from error


def column(path: Path, name: str) -> list[Any]:
    """Read one column of all ``photos`` tables of a data set."""
    return [
        value
        for shard in shards(path)
        for value in read_columns(path / "photos" / f"{shard}.parquet", [name])[name].to_pylist()
    ]


def read_header(path: Path) -> dict[str, Any]:
    """Read and check ``dataset.json`` of a data set.

    Raises
    ------
    DatasetError
        It is missing, damaged or of another version.
    """
    file = path / "dataset.json"
    try:
        header = json.loads(file.read_text())
    except FileNotFoundError as error:
        raise DatasetError(f"{path} is not a data set: it has no dataset.json") from error
    except (OSError, ValueError) as error:
        raise DatasetError(f"{file} cannot be read: {error}") from error
    if not isinstance(header, dict) or header.get("format") != FORMAT_NAME:
        raise DatasetError(f"{file} does not describe a {FORMAT_NAME}")
    if header.get("version") not in READ_VERSIONS:
        version, known = header.get("version"), " and ".join(map(str, READ_VERSIONS))
        raise DatasetError(f"{file} is of version {version}; this release reads versions {known}")
    return header


def write_header(path: Path, **more: Any) -> None:
    """Write ``dataset.json``, atomically, with the counts of what is there.

    Parameters
    ----------
    path
        The data set's folder. Several writers may fill it at once.
    **more
        Further entries, such as the ``shards`` that the set consists of.
    """
    header: dict[str, Any] = {"format": FORMAT_NAME, "version": FORMAT_VERSION}
    names = more.get("shards")
    if names is None:
        names = [file.stem for file in (path / "photos").glob("*.parquet")]
    ids = [
        value
        for name in names
        for value in read_columns(path / "photos" / f"{name}.parquet", ["identity_id"])[
            "identity_id"
        ].to_pylist()
    ]
    header["counts"] = {"identities": len(set(ids)), "photos": len(ids), "shards": len(names)}
    with atomic_write(path / "dataset.json", many_writers=True) as partial:
        partial.write_text(json.dumps(header | more, indent=2) + "\n")
