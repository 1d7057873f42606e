"""Atomic writing: a file or folder is complete under its name, or it is not there."""

from __future__ import annotations

import os
import re
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hifi_portrait.errors import OutputError
from hifi_portrait.io.names import printable

_WRITER = re.compile(r"\.([^.]+)-(\d+)-\d+\.partial$")
"""End of the name of a temporary file that one writer of several uses: host, process, thread."""

_EVERYBODY = 0o666
"""Rights that a new file has before the umask takes some away."""


@contextmanager
def atomic_write(path: Path, *, many_writers: bool = False) -> Iterator[Path]:
    """Give a temporary path beside ``path``, and rename what was written there when the context ends.

    After an error the temporary file or folder is deleted and ``path`` is as it was. After a kill it stays
    behind, and the next write to ``path`` deletes it. A link is followed. A file that is replaced keeps its
    rights; a new one gets those of the umask, whatever the library that wrote it thought right.

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
    path = Path(os.path.realpath(path)) if path.is_symlink() else path
    if many_writers:
        _delete_abandoned(path)
    host = _host()
    writer = f".{host}-{os.getpid()}-{threading.get_ident()}" if many_writers else ""
    partial = path.with_name(f"{path.name}{writer}.partial")
    _delete(partial)
    try:
        rights = _rights_of(path, partial)
        yield partial
        if partial.is_file():
            os.chmod(partial, rights)
        os.replace(partial, path)
    finally:
        _delete(partial)


@contextmanager
def write_output(path: Path) -> Iterator[Path]:
    """Give a temporary path as `atomic_write` does, for a result: what goes wrong says which file it was.

    Parameters
    ----------
    path
        The file to write; its folder is made where it does not exist. Several may write it at a time.

    Yields
    ------
    Path
        Where to write.

    Raises
    ------
    OutputError
        The file cannot be written: there is no room, for example.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path, many_writers=True) as partial:
            yield partial
    except OSError as error:
        raise OutputError(f"{printable(path)} cannot be written: {error.strerror or error}") from error


def _host() -> str:
    """Name this machine with letters, digits and underscores."""
    return re.sub(r"\W", "_", socket.gethostname()) or "host"


def _rights_of(path: Path, partial: Path) -> int:
    """Find the rights of the file that will be replaced, or those that a new one gets here."""
    if path.is_file():
        return path.stat().st_mode & 0o7777
    if not path.parent.is_dir():
        return _EVERYBODY  # the writer will say that there is no folder
    os.close(os.open(partial, os.O_CREAT | os.O_WRONLY, _EVERYBODY))
    rights = partial.stat().st_mode & 0o7777
    partial.unlink()
    return rights


def _delete_abandoned(path: Path) -> None:
    """Delete what writers of ``path`` on this machine left behind that are no longer alive."""
    if not path.parent.is_dir():
        return
    for name in os.listdir(path.parent):
        if not name.startswith(f"{path.name}."):
            continue
        writer = _WRITER.fullmatch(name[len(path.name) :])
        if writer is not None and writer[1] == _host() and not _is_alive(int(writer[2])):
            _delete(path.with_name(name))


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is somebody else's
        return True
    return True


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
