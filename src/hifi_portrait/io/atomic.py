"""Files that are complete or not there, whatever happens while they are written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_whole(path: Path, *, several: bool = False) -> Iterator[Path]:
    """A path to write a file to, which takes the place of ``path`` at the end of the context.

    After an error what was written is deleted, and ``path`` is as it was. Where ``several`` processes may
    write it at a time, each does so in a path of its own.
    """
    writer = f".{os.getpid()}" if several else ""
    partial = path.with_name(f"{path.name}{writer}.partial")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
