"""Where photos come from, and by what right: nothing is read whose source does not say."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import pyarrow as pa

from hifi_portrait.errors import DatasetError
from hifi_portrait.io.names import printable
from hifi_portrait.io.video import VIDEO_SUFFIXES

CONSENT = ("signed", "public-licence", "synthetic", "own")
"""What makes it right to use the photos: the people signed for it, the photographer's licence and the law of
the place allow it, nobody is in them, or they are one's own."""

SOURCE_SCHEMA = pa.schema(
    {name: pa.string() for name in ("name", "licence", "consent", "attribution", "opt_out")}
)
"""Columns of the table of sources."""

_EXAMPLE = (
    'source = [{{name = "{name}", path = "{path}", licence = "CC-BY-4.0", consent = "signed", '
    'attribution = "who made the photos"}}]'
)
"""Valid on one line, as messages are shown."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where photos come from."""

    name: str
    """Unique among the data set's sources."""
    path: Path
    """Folder or file that holds them."""
    licence: str
    """SPDX identifier or address of the licence."""
    consent: str
    """One of `CONSENT`."""
    attribution: str = ""
    """Who is to be named."""
    opt_out: str = ""
    """Signals of opting out that were found, and what was done about them."""

    def row(self) -> dict[str, Any]:
        """Give the row of the table of sources; its path is nobody else's business."""
        return {name: value for name, value in asdict(self).items() if name != "path"}


@dataclass(frozen=True)
class InputFile:
    """A file that was given."""

    path: str
    """Absolute."""
    original: str
    """As it is named in tables: relative to its source."""
    source: str
    """The source's name."""
    group: str
    """Name of the folder that says who it is; empty where nothing does."""

    @property
    def is_video(self) -> bool:
        """Whether it is a video, as the ending of its name tells."""
        return Path(self.path).suffix.lower() in VIDEO_SUFFIXES


def find_sources(paths: Sequence[Path], file: Path | None) -> list[Source]:
    """Find the source of each path that was given.

    Parameters
    ----------
    paths
        Folders of photos and videos, such files, or text files that list them, one a line.
    file
        TOML file with a table ``[[source]]`` for each source; where None, ``sources.toml`` in the folder.

    Raises
    ------
    DatasetError
        A path does not exist, the file cannot be read, or says nothing of a path or not enough. The message
        says what to write.
    """
    found = []
    for path in paths:
        if not path.exists():
            raise DatasetError(f"{printable(path)} does not exist: name folders or files with photos")
        beside = path / "sources.toml" if path.is_dir() else path.with_name("sources.toml")
        entries = _read(file if file is not None else beside, required=file is not None)
        place = path.resolve()
        fitting = [each for each in entries if each.path == place or each.path in place.parents]
        if not fitting:
            where = printable(file if file is not None else beside)
            example = _EXAMPLE.format(name=place.name, path=place if file is not None else ".")
            raise DatasetError(
                f"{printable(path)}: nothing says by what licence and consent its photos may be used, so that"
                f" they were not read. Write into {where}, with your own values (licence: an SPDX identifier"
                f" or an address; consent: signed, public-licence, synthetic or own): {example}"
            )
        closest = max(fitting, key=lambda each: len(each.path.parts))
        found.append(Source(**{**_plain(closest), "path": path}))
    return found


def _plain(source: Source) -> dict[str, Any]:
    return {each.name: getattr(source, each.name) for each in fields(source)}


def _read(file: Path, *, required: bool) -> list[Source]:
    name = printable(file)
    try:
        data = tomllib.loads(file.read_text("utf-8-sig"))
    except FileNotFoundError as error:
        if not required:
            return []
        raise DatasetError(f"there is no file {name}: give the file that describes the sources") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DatasetError(f"{name} cannot be read: {error}") from error
    entries = data.get("source")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise DatasetError(f"{name} has no table [[source]]: {_EXAMPLE.format(name='album', path='.')}")
    sources = [_source(entry, file) for entry in entries]
    names = [source.name for source in sources]
    if len(set(names)) != len(names):
        raise DatasetError(f"{name} names a source twice: give each [[source]] a name of its own")
    return sources


def _source(entry: dict[str, Any], file: Path) -> Source:
    where = f"{printable(file)}, source {entry.get('name', '?')!r}"
    known = {each.name for each in fields(Source)} - {"opt_out"}
    if unknown := set(entry) - known:
        raise DatasetError(
            f"{where}: unknown key {sorted(unknown)[0]!r}; keys are {', '.join(sorted(known))}"
        )
    for key in known:
        if key != "attribution" and not entry.get(key):
            raise DatasetError(f"{where}: {key} is missing")
        if not isinstance(entry.get(key, ""), str):
            raise DatasetError(f"{where}: {key} must be a text")
    if entry["consent"] not in CONSENT:
        raise DatasetError(f"{where}: consent {entry['consent']!r} is none of {', '.join(CONSENT)}")
    return Source(**{**entry, "path": (file.parent / entry["path"]).resolve()})


def list_files(source: Source, *, named: bool) -> list[InputFile]:
    """List the files of a source, sorted by name, except for hidden ones and ``sources.toml``.

    Parameters
    ----------
    source
        Its path is a folder, a photo or video, or a text file that lists such files, one a line.
    named
        Whether folders say who is in the photos: the first folder below the source, or, where it has none,
        the source itself.

    Raises
    ------
    DatasetError
        The list cannot be read, or a file of it does not exist.
    """
    path = source.path
    if path.is_dir():
        return list(_list_folder(source, named))
    if path.suffix.lower() not in {".txt", ".lst"}:
        return [InputFile(str(path.resolve()), printable(path.name), source.name, "")]
    listed = []
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(
            f"{printable(path)} cannot be read as a list of photos, one a line in UTF-8: {error}"
        ) from error
    for line in lines:
        if not line.strip():
            continue
        file = (path.parent / line.strip()).resolve()
        if not file.is_file():
            raise DatasetError(f"{printable(path)} lists {line.strip()}, which is no file")
        group = file.parent.name if named else ""
        listed.append(InputFile(str(file), line.strip(), source.name, _qualified(source, group)))
    return listed


def _list_folder(source: Source, named: bool) -> Iterator[InputFile]:
    root = source.path.resolve()
    files = sorted(
        file
        for file in root.rglob("*")
        if file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(root).parts)
        and file.name != "sources.toml"
    )
    has_folders = any(len(file.relative_to(root).parts) > 1 for file in files)
    for file in files:
        parts = file.relative_to(root).parts
        group = ""
        if named:
            group = parts[0] if len(parts) > 1 else "" if has_folders else root.name
        yield InputFile(str(file), printable("/".join(parts)), source.name, _qualified(source, group))


def _qualified(source: Source, group: str) -> str:
    return printable(f"{source.name}/{group}") if group else ""
