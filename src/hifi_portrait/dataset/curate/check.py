"""Whether everything in a data set agrees: tables, offsets, hashes and pictures."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from hifi_portrait.dataset.curate.account import account
from hifi_portrait.dataset.curate.state import State
from hifi_portrait.dataset.format import IDDataset, IDDatasetWriter
from hifi_portrait.dataset.tables import FORMAT_VERSION, read_columns, read_header, shards
from hifi_portrait.errors import DatasetError, HiFiPortraitError
from hifi_portrait.io.atomic import atomic_write
from hifi_portrait.io.names import printable


def check_dataset(path: str | Path) -> list[str]:
    """Check a data set of any version.

    Parameters
    ----------
    path
        Its folder.

    Returns
    -------
    list of str
        What is wrong, a sentence each; nothing where all is well.

    Raises
    ------
    DatasetError
        The folder is no data set.
    """
    folder = Path(path)
    header = read_header(folder)
    return [*_check_shards(folder), *_check_build(folder, "build" in header)]


def upgrade_dataset(path: str | Path) -> bool:
    """Rewrite a data set of an older version as the newest one; killed anywhere, it is the old or the new.

    Parameters
    ----------
    path
        Its folder. What it was stays beside it, under its name and ``.version-1``.

    Returns
    -------
    bool
        Whether there was something to do.

    Raises
    ------
    DatasetError
        The folder is no data set, or it is damaged.
    """
    folder = Path(path).resolve()
    old = folder.with_name(f"{folder.name}.version-1")
    if not folder.exists() and old.exists():
        os.rename(old, folder)  # it was killed between the two renames below
    if read_header(folder)["version"] == FORMAT_VERSION:
        return False
    new = folder.with_name(f"{folder.name}.version-2")
    if new.exists():
        shutil.rmtree(new)  # it was killed before the renames below
    with atomic_write(new) as partial:
        for shard in shards(folder):
            photos = IDDataset(folder, shard=shard)
            with IDDatasetWriter(partial, name=shard, shard_photos=2**40) as writer:
                for name, rows in photos.identities.items():
                    writer.add(name, [photos[row] for row in rows])
    os.rename(folder, old)
    os.rename(new, folder)
    return True


def _check_shards(folder: Path) -> Iterator[str]:
    home: dict[str, str] = {}
    for shard in shards(folder):
        try:
            photos = IDDataset(folder, shard=shard)
        except DatasetError as error:
            yield str(error)
            continue
        for name in photos.identities:
            if home.setdefault(name, shard) != shard:
                yield f"{name} is in two shards, {home[name]} and {shard}"
        has_analysis = (folder / "analysis" / f"{shard}.parquet").exists()
        for index in range(len(photos)):
            yield from _check_photo(photos, index, shard, has_analysis)


def _check_photo(photos: IDDataset, index: int, shard: str, has_analysis: bool) -> Iterator[str]:
    try:
        record = photos.entry(index)
        image = photos.image(index)
    except DatasetError as error:
        yield str(error)
        return
    name = f"{shard}: {record.identity_id}/{record.photo_id}"
    if record.sha256 and sha256(image).hexdigest() != record.sha256:
        yield f"{name}: the picture is another than its SHA-256 says"
        return
    try:
        height, width = replace(record, image=image).pixels().shape[:2]
    except HiFiPortraitError as error:
        yield f"{name}: {error}"
        return
    if (width, height) != (record.width, record.height):
        yield f"{name}: the picture is {width}x{height}, its row says {record.width}x{record.height}"
    if has_analysis and record.analysis is None:
        yield f"{name}: the analysis has no row of it"


def _check_build(folder: Path, is_built: bool) -> Iterator[str]:
    if not is_built:
        return
    state = State.read(folder)
    assert state is not None
    for table in state.tables.values():
        if not (folder / table).exists():
            yield f"table {printable(folder / table)} is missing"
            return
    for place, suffix in (("images", ".tar"), ("photos", ".parquet"), ("analysis", ".parquet")):
        for file in sorted((folder / place).iterdir()):
            if file.name.removesuffix(suffix) not in state.shards:
                yield f"{printable(file)} belongs to no shard: the next `dataset add` deletes it"
    sources = {row["name"] for row in state.rows(folder, "sources")}
    for shard in state.shards:
        for name in set(
            read_columns(folder / "photos" / f"{shard}.parquet", ["source"])["source"].to_pylist()
        ):
            if name not in sources:
                yield f"{shard}: source {name!r} is not in the table of sources"
    try:
        account(folder, state)
    except DatasetError as error:
        yield str(error)
