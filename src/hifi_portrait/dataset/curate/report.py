"""A page to look at: who is with whom, what was left out and why, and how the measures are spread."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from hifi_portrait.dataset.curate.account import account
from hifi_portrait.dataset.curate.reasons import REASONS
from hifi_portrait.dataset.curate.state import State
from hifi_portrait.dataset.tables import read_columns
from hifi_portrait.errors import DatasetError
from hifi_portrait.io.atomic import atomic_write
from hifi_portrait.io.names import printable

REPORT = "report.html"
"""Name of the page in the data set's folder."""

_GROUPS, _FACES, _NAMES, _BINS = 20, 12, 8, 24
"""Groups, faces of each, names and bars that are shown at most."""


@dataclass(frozen=True)
class _Group:
    name: str
    keys: list[tuple[str, int]]
    cosine: float


def write_report(out: str | Path) -> Path:
    """Write ``report.html`` into a data set that was built; it needs no other file.

    Parameters
    ----------
    out
        The data set's folder.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    DatasetError
        It is no data set that was built.
    """
    out = Path(out)
    state = State.read(out)
    if state is None:
        raise DatasetError(f"{printable(out)} is no data set")
    groups, measures = _groups(out, state)
    rejected = state.rows(out, "rejected")
    by_size = sorted(groups, key=lambda each: (-len(each.keys), each.name))[:_GROUPS]
    by_doubt = sorted(groups, key=lambda each: (each.cosine, each.name))[:_GROUPS]
    shown = [key for each in (*by_size, *by_doubt) for key in each.keys[:_FACES]]
    samples = {name: [row for row in rejected if row["reason"] == name] for name in REASONS}
    shown += [_key(row) for rows in samples.values() for row in rows[:_FACES] if row["face"] is not None]
    chips = _chips(out, set(shown))
    environment = Environment(
        loader=PackageLoader("hifi_portrait.dataset.curate"), autoescape=True, undefined=StrictUndefined
    )
    page = environment.get_template(REPORT).render(
        name=out.resolve().name,
        forgotten=state.tables.get("forgotten", ""),
        result=account(out, state),
        sources=state.rows(out, "sources"),
        charts=[_chart(title, values) for title, values in measures.items() if len(values)],
        groups=[
            {"title": title, "groups": [_shown(each, chips) for each in part]}
            for title, part in (("Largest groups", by_size), ("Least certain groups", by_doubt))
        ],
        rejected=[_reason(name, rows, chips) for name, rows in samples.items() if rows],
    )
    with atomic_write(out / REPORT) as partial:
        partial.write_text(page)
    return out / REPORT


def _key(row: Mapping[str, Any]) -> tuple[str, int]:
    return row["sha256"], row["face"]


def _groups(out: Path, state: State) -> tuple[list[_Group], dict[str, list[float]]]:
    """Read who is with whom, and what was measured of the photos."""
    groups = []
    measures: dict[str, list[float]] = {
        "photos of a person": [],
        "quality of a face": [],
        "residual of a fit": [],
    }
    for shard in state.shards:
        photos = read_columns(out / "photos" / f"{shard}.parquet", ("identity_id", "sha256", "face"))
        columns = ("embedding", "quality", "residual")
        analysis = read_columns(out / "analysis" / f"{shard}.parquet", columns)
        people: dict[str, list[int]] = {}
        for row, name in enumerate(photos["identity_id"].to_pylist()):
            people.setdefault(name, []).append(row)
        keys = list(zip(photos["sha256"].to_pylist(), photos["face"].to_pylist(), strict=True))
        vectors = np.array(analysis["embedding"].to_pylist(), np.float32)
        for name, rows in people.items():
            found = vectors[rows] / np.linalg.norm(vectors[rows], axis=1, keepdims=True)
            count = len(rows)
            mean = (float((found @ found.T).sum()) - count) / max(count * (count - 1), 1)
            groups.append(_Group(name, [keys[row] for row in rows], mean))
            measures["photos of a person"].append(count)
        measures["quality of a face"] += analysis["quality"].to_pylist()
        measures["residual of a fit"] += analysis["residual"].to_pylist()
    return groups, measures


def _chips(out: Path, wanted: set[tuple[str, int]]) -> dict[tuple[str, int], str]:
    """Read small pictures of faces, in base64."""
    found = {}
    for file in sorted((out / "work" / "faces").glob("*.parquet")):
        rows = read_columns(file, ("sha256", "face", "chip"))
        keys = zip(rows["sha256"].to_pylist(), rows["face"].to_pylist(), strict=True)
        for number, key in enumerate(keys):
            if key in wanted:
                found[key] = b64encode(rows["chip"][number].as_py()).decode()
    return found


def _shown(group: _Group, chips: Mapping[tuple[str, int], str]) -> dict[str, Any]:
    faces = [{"name": key[0][:16], "picture": chips[key]} for key in group.keys[:_FACES] if key in chips]
    return {"name": group.name, "count": len(group.keys), "cosine": group.cosine, "faces": faces}


def _reason(
    name: str, rows: Sequence[Mapping[str, Any]], chips: Mapping[tuple[str, int], str]
) -> dict[str, Any]:
    faces = [
        {"name": f"{row['original']}: {_measured(row)}", "picture": chips[_key(row)]}
        for row in rows[:_FACES]
        if row["face"] is not None and _key(row) in chips
    ]
    names = [row["original"] for row in rows if row["face"] is None][:_NAMES]
    return {"name": name, "count": len(rows), "text": REASONS[name][1], "faces": faces, "names": names}


def _measured(row: Mapping[str, Any]) -> str:
    if row["value"] is None:
        return str(row["detail"] or row["reason"])
    limit = "" if row["threshold"] is None else f", the limit is {row['threshold']:.3g}"
    return f"{row['value']:.3g}{limit} {row['detail']}".strip()


def _chart(title: str, values: Sequence[float]) -> dict[str, Any]:
    """Lay out a histogram of 300 x 120 pixels."""
    counts, edges = np.histogram(values, bins=_BINS)
    width = 300 / _BINS
    bars = [
        {
            "x": round(place * width, 1),
            "y": round(120 - 120 * count / counts.max(), 1),
            "width": round(width - 1, 1),
            "height": round(120 * count / counts.max(), 1),
            "count": int(count),
            "label": f"{edges[place]:.3g} to {edges[place + 1]:.3g}",
        }
        for place, count in enumerate(counts)
    ]
    return {"title": title, "bars": bars, "least": f"{edges[0]:.3g}", "greatest": f"{edges[-1]:.3g}"}
