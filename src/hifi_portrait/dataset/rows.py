"""Rows of Parquet tables, read one by one."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from hifi_portrait.dataset.tables import opened_table, read_columns

_CACHE_BYTES = 64 * 2**20
"""Rows of tables, in bytes, that stay in memory after they were read."""


class TableRows:
    """Reads rows of tables, a group of rows at a time, and keeps those that were read last."""

    def __init__(self) -> None:
        self._groups: OrderedDict[tuple[Path, int], pa.Table] = OrderedDict()
        self._starts: dict[Path, np.ndarray] = {}
        self._keys: dict[Path, dict[tuple[str, str], int]] = {}

    def row(self, file: Path, number: int) -> dict[str, Any]:
        """Read a row of a table."""
        starts = self._starts.get(file)
        if starts is None:
            with opened_table(file) as table:
                sizes = [table.metadata.row_group(n).num_rows for n in range(table.num_row_groups)]
            starts = self._starts[file] = np.cumsum([0, *sizes])
        group = int(np.searchsorted(starts, number, side="right")) - 1
        row: dict[str, Any] = self._group(file, group).slice(number - int(starts[group]), 1).to_pylist()[0]
        return row

    def find(self, file: Path, identity_id: str, photo_id: str) -> dict[str, Any] | None:
        """Read the row of a photo; None where the table does not exist or does not have it."""
        keys = self._keys.get(file)
        if keys is None:
            if not file.exists():
                return None
            table = read_columns(file, ("identity_id", "photo_id"))
            pairs = zip(table["identity_id"].to_pylist(), table["photo_id"].to_pylist(), strict=True)
            keys = {key: number for number, key in enumerate(pairs)}
            if len(self._keys) >= 64:
                self._keys.clear()
            self._keys[file] = keys
        number = keys.get((identity_id, photo_id))
        return None if number is None else self.row(file, number)

    def _group(self, file: Path, number: int) -> pa.Table:
        key = (file, number)
        if key in self._groups:
            self._groups.move_to_end(key)
            return self._groups[key]
        with opened_table(file) as table:
            group = table.read_row_group(number)
        self._groups[key] = group
        while len(self._groups) > 1 and sum(each.nbytes for each in self._groups.values()) > _CACHE_BYTES:
            self._groups.popitem(last=False)
        return group
