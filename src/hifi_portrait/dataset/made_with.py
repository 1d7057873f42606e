"""What the tables of a data set were made with, so that a call goes on with no other settings unnoticed.

The settings are in a table's own metadata. Tables of older releases have none: of these only what the rows
show can be compared.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path

import pyarrow as pa

from hifi_portrait.dataset.tables import opened_table, read_columns, shards
from hifi_portrait.errors import DatasetError
from hifi_portrait.io.names import printable

Settings = Mapping[str, str | float | bool | None]
"""Name of a setting, as a person gives it -> its value."""

_KEY = b"made-with"


def with_settings(schema: pa.Schema, settings: Settings) -> pa.Schema:
    """Note in the schema of a table what it was made with."""
    return schema.with_metadata({_KEY: json.dumps(dict(settings)).encode()}) if settings else schema


def read_settings(schema: pa.Schema) -> dict[str, str | float | bool | None]:
    """Give what a table was made with; nothing where it does not say so."""
    try:
        found = json.loads((schema.metadata or {}).get(_KEY, b"{}"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def check_settings(part: str, there: Settings, wanted: Settings) -> None:
    """Check that a part of a data set was made with the settings that are asked for.

    Parameters
    ----------
    part
        What is there, for messages, such as "person-00000001 of people/".
    there
        What it was made with, as far as it is known.
    wanted
        What is asked for.

    Raises
    ------
    DatasetError
        A setting that is known is another one.
    """
    for name, value in wanted.items():
        if name in there and there[name] != value:
            raise DatasetError(
                f"{part} was made with {name} {_told(there[name])}, not {_told(value)}: ask for the same, or"
                " name another folder"
            )


def check_people(path: Path, wanted_ids: Collection[str], wanted: Settings) -> None:
    """Check that people who are in an ID data set were photographed as is asked for.

    Parameters
    ----------
    path
        The data set's folder.
    wanted_ids
        Those who are asked for, be they there or not. Others may have been made with other settings.
    wanted
        What is asked for. The ``size`` of pictures, and how many ``photos`` there are of each person, are
        known of every data set.

    Raises
    ------
    DatasetError
        Somebody was photographed with other settings.
    """
    for shard in shards(path):
        file = path / "photos" / f"{shard}.parquet"
        rows = read_columns(file, ["identity_id", "width"])
        ids = rows["identity_id"].to_pylist()
        kept = next((row for row, name in enumerate(ids) if name in wanted_ids), None)
        if kept is None:
            continue
        with opened_table(file) as table:
            noted = read_settings(table.schema_arrow)
        shown = {"size": rows["width"][kept].as_py(), "photos": ids.count(ids[kept])}
        check_settings(f"{ids[kept]} of {printable(path)}", shown | noted, wanted)


def _told(value: str | float | bool | None) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)
