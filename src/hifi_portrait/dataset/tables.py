"""The tables of an ID data set: their columns, their files, and the header beside them."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from hifi_portrait.errors import DatasetError
from hifi_portrait.head import Camera, HeadGeometry
from hifi_portrait.io.atomic import written_whole

FORMAT_NAME = "hifi-portrait-id-dataset"
FORMAT_VERSION = 1


def _vector(size: int) -> pa.DataType:
    return pa.list_(pa.float32(), size)


GEOMETRY_TYPE = pa.struct(
    {
        "identity": _vector(80),
        "expression": _vector(52),
        "rotation": _vector(9),
        "translation": _vector(3),
        "gaze": _vector(2),
        "camera": pa.list_(pa.float64(), 5),
    }
)

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
    }
)

ANALYSIS_SCHEMA = pa.schema(
    {
        "identity_id": pa.string(),
        "photo_id": pa.string(),
        "found": pa.bool_(),
        "reason": pa.string(),
        "landmarks": _vector(478 * 3),
        "crop_transform": _vector(9),
        "crop_size": pa.int32(),
        "embedding": _vector(128),
        "quality": pa.float32(),
        "matte": pa.binary(),
        "fit": GEOMETRY_TYPE,
        "residual": pa.float32(),
    }
)


def geometry_row(geometry: HeadGeometry | None) -> dict[str, Any] | None:
    """A head geometry as a row of ``GEOMETRY_TYPE``."""
    if geometry is None:
        return None
    camera = geometry.camera
    return {
        "identity": np.asarray(geometry.identity, np.float32).ravel(),
        "expression": np.asarray(geometry.expression, np.float32).ravel(),
        "rotation": np.asarray(geometry.rotation, np.float32).ravel(),
        "translation": np.asarray(geometry.translation, np.float32).ravel(),
        "gaze": np.asarray(geometry.gaze, np.float32).ravel(),
        "camera": [float(v) for v in (camera.focal, camera.cx, camera.cy, camera.width, camera.height)],
    }


def geometry_from_row(row: Mapping[str, Any] | None) -> HeadGeometry | None:
    """Inverse of :func:`geometry_row`."""
    if row is None:
        return None
    focal, cx, cy, width, height = row["camera"]
    return HeadGeometry(
        identity=np.asarray(row["identity"], np.float32),
        expression=np.asarray(row["expression"], np.float32),
        rotation=np.asarray(row["rotation"], np.float32).reshape(3, 3),
        translation=np.asarray(row["translation"], np.float32),
        gaze=np.asarray(row["gaze"], np.float32),
        camera=Camera(focal, cx, cy, int(width), int(height)),
    )


def shards(path: str | Path) -> list[str]:
    """Names of the committed shards of a data set."""
    return sorted(file.stem for file in (Path(path) / "photos").glob("*.parquet"))


def encode_matte(matte: np.ndarray) -> bytes:
    """A matte (S, S) in [0, 1] as an 8-bit PNG."""
    stream = io.BytesIO()
    Image.fromarray(np.rint(np.asarray(matte) * 255).astype(np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def decode_matte(data: bytes | None) -> np.ndarray | None:
    """Inverse of :func:`encode_matte`."""
    if data is None:
        return None
    with Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture, np.float32) / 255


def write_table(path: Path, rows: list[dict[str, Any]], schema: pa.Schema) -> None:
    """Write rows as Parquet, whole or not at all."""
    rows = [{name: row[name] for name in schema.names} for row in rows]
    with written_whole(path) as partial:
        pq.write_table(pa.Table.from_pylist(rows, schema), partial, compression="zstd")


def read_tables(folder: Path, schema: pa.Schema, shard: str) -> pa.Table:
    """All tables of a folder whose shard matches, as one. DatasetError where one is damaged."""
    tables = []
    for path in sorted(folder.glob(f"{shard}.parquet")):
        try:
            tables.append(pq.read_table(path, schema=schema))
        except (OSError, pa.ArrowException) as error:
            raise DatasetError(
                f"table {path} cannot be read: {error}. Delete it and write it anew"
            ) from error
    return pa.concat_tables(tables) if tables else schema.empty_table()


def column(path: Path, name: str) -> list[Any]:
    """One column of all photo tables."""
    return [
        value
        for file in sorted((path / "photos").glob("*.parquet"))
        for value in pq.read_table(file, columns=[name])[name].to_pylist()
    ]


def read_header(path: Path) -> dict[str, Any]:
    """The header, checked. DatasetError where it is missing or of another version."""
    file = path / "dataset.json"
    try:
        header = json.loads(file.read_text())
    except FileNotFoundError as error:
        raise DatasetError(f"{path} is not a data set: it has no dataset.json") from error
    except (OSError, ValueError) as error:
        raise DatasetError(f"{file} cannot be read: {error}") from error
    if not isinstance(header, dict) or header.get("format") != FORMAT_NAME:
        raise DatasetError(f"{file} does not describe a {FORMAT_NAME}")
    if header.get("version") != FORMAT_VERSION:
        version = header.get("version")
        raise DatasetError(f"{file} is of version {version}; this release reads version {FORMAT_VERSION}")
    return header


def write_header(path: Path) -> None:
    """Write the header with the counts of what is there."""
    ids = column(path, "identity_id")
    counts = {"identities": len(set(ids)), "photos": len(ids), "shards": len(shards(path))}
    header = {"format": FORMAT_NAME, "version": FORMAT_VERSION, "counts": counts}
    with written_whole(path / "dataset.json", several=True) as partial:
        partial.write_text(json.dumps(header, indent=2) + "\n")
