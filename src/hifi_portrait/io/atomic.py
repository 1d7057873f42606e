"""Atomic writing: a file or folder is complete under its name, or it is not there."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_write(path: Path, *, many_writers: bool = False) -> Iterator[Path]:
    """Give a temporary path beside ``path``, and rename what was written there when the context ends.

    After an error the temporary file or folder is deleted and ``path`` is as it was. After a kill it stays
    behind, and the next write to ``path`` deletes it, unless several may write.

    Parameters
    ----------
    path
        The file or folder to write. A file is replaced; a folder must not exist yet.
    many_writers
        Whether several threads or processes may write ``path`` at a time. Each then uses a temporary path of
        its own, and the last one to end counts.

    Yields
    ------
    Path
        Where to write. Nothing is there yet.
    """
    writer = f".{os.getpid()}-{threading.get_ident()}" if many_writers else ""
    partial = path.with_name(f"{path.name}{writer}.partial")
    _delete(partial)
    try:
        yield partial
        os.replace(partial, path)
    finally:
        _delete(partial)


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
