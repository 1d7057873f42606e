"""What every command shares: where messages go, progress bars, and exit codes.

Exit codes: 0 done; 1 something unexpected; 2 the input cannot be used, and the message says why.
Results go to stdout (as one JSON document with ``--json``); everything else goes to stderr.
"""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import math
import os
import stat
import sys
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from hifi_portrait.errors import HiFiPortraitError, OutputError
from hifi_portrait.io.names import is_utf8, printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

EXIT_UNEXPECTED = 1
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells report it
EXIT_BROKEN_PIPE = 141  # 128 + SIGPIPE

_Command = TypeVar("_Command", bound=Callable[..., None])


def stderr() -> Console:
    """Make the console for progress."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, emoji=False)


def progress(quiet: bool = False) -> Progress:
    """Make a progress bar on stderr: what is done of how many, and the time left; `quiet` shows none."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=stderr(), disable=quiet, transient=True)


def emit(result: dict[str, Any], message: str, as_json: bool) -> None:
    """Print a command's result on stdout: as one JSON document, or as `message` for people."""
    if as_json:
        result = _finite(result)
        message = json.dumps(result, ensure_ascii=False)
    try:
        _write(result, message, as_json)
    except BrokenPipeError:
        raise
    except OSError as error:  # it stands on a full disk
        raise OutputError(f"the standard output cannot be written to: {error.strerror}") from error


def _write(result: dict[str, Any], message: str, as_json: bool) -> None:
    try:
        print(message, flush=True)  # noqa: T201
    except UnicodeEncodeError:  # a name that is not UTF-8, or a terminal that does not know its letters
        if as_json:
            print(json.dumps(result), flush=True)  # noqa: T201
        else:
            sys.stdout.buffer.write(_encode(message, sys.stdout.encoding) + b"\n")


def _encode(text: str, encoding: str) -> bytes:
    """Encode text, with the bytes of names that are not UTF-8 as they are."""
    try:
        return text.encode(encoding, "surrogateescape")
    except UnicodeEncodeError:
        return text.encode(encoding, "backslashreplace")


def _finite(value: Any) -> Any:
    """Replace numbers that JSON does not have, NaN and the infinities, by null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return value


def show_log(level: int = logging.INFO) -> None:
    """Send what the package logs to stderr: coloured on a terminal, plain lines with the time elsewhere."""
    if sys.stderr.isatty():
        from rich.logging import RichHandler

        handler: logging.Handler = RichHandler(console=stderr(), show_path=False)
        logging.basicConfig(level=level, format="%(message)s", handlers=[handler])
    else:
        logging.basicConfig(level=level, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")


def open_missing_streams() -> None:
    """Open what a daemon's process has not: messages go nowhere then, and are no error."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115  (to the process's end)


def check_working_folder() -> None:
    """End the process with a message if the folder in which it runs was deleted: libraries fail on that."""
    try:
        os.getcwd()
    except OSError:
        sys.stderr.write("error: the folder in which this runs does not exist any more: change to another\n")
        sys.exit(EXIT_BAD_INPUT)


def hush_libraries() -> None:
    """Keep the libraries' start-up chatter off the terminal, unless the user asked for it."""
    os.environ.setdefault("GLOG_minloglevel", "3")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("DIFFUSERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    if not sys.warnoptions:  # what libraries have to say to programmers
        for kind in (FutureWarning, DeprecationWarning, UserWarning):
            warnings.simplefilter("ignore", kind)


def hush_loading() -> None:
    """Keep the libraries' own bars and remarks about loading off the terminal, once they are imported."""
    import diffusers.utils.logging
    import transformers.utils.logging

    for library in (diffusers.utils.logging, transformers.utils.logging):
        library.disable_progress_bar()
        library.set_verbosity_error()


def reports_errors(
    command: _Command,
    *,
    debug: str = "HIFI_PORTRAIT_DEBUG",
    bad_input: tuple[type[Exception], ...] = (),
) -> _Command:
    """Wrap a command so that its exceptions become one line on stderr and an exit code.

    Parameters
    ----------
    command
        What typer calls.
    debug
        Environment variable that lets exceptions through with their traceback, where it is set.
    bad_input
        Exceptions that say what is wrong with the input, beside this package's own.
    """

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            kwargs = {name: _find_home(name, value) for name, value in kwargs.items()}
            _check_no_pipe(kwargs.values())
            command(*args, **kwargs)
        except (typer.Exit, typer.Abort, typer.BadParameter):
            raise
        except BrokenPipeError:  # who reads the output, such as `head`, has enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(EXIT_BROKEN_PIPE) from None
        except KeyboardInterrupt:
            _fail("interrupted", EXIT_INTERRUPTED)
        except Exception as error:
            if os.environ.get(debug):
                raise
            message, code = describe(error, bad_input)
            _fail(message, code)

    return run  # type: ignore[return-value]  # of the command's own signature, by wraps


_FILES_AS_TEXT = frozenset({"out", "model", "hifi", "recipe", "drive", "background", "save_motion"})
"""Parameters that name files or folders, but are no paths: their ends, or hub ids, mean something, too."""


def _find_home(name: str, value: Any) -> Any:
    """Put the home folder in the place of a ``~`` that the shell left, as in ``--out=~/a.png``."""
    if isinstance(value, list | tuple):
        return type(value)(_find_home(name, entry) for entry in value)
    if not (isinstance(value, Path) or (isinstance(value, str) and name in _FILES_AS_TEXT)):
        return value
    text = str(value)
    if not text.startswith("~") or os.path.lexists(text):
        return value
    return type(value)(os.path.expanduser(text))


def _check_no_pipe(values: Iterable[Any]) -> None:
    """Check that no argument names a named pipe, which would be waited for without end."""
    for value in values:
        for entry in value if isinstance(value, list | tuple) else [value]:
            if not isinstance(entry, str | Path):
                continue
            with contextlib.suppress(OSError, ValueError):  # it names no file at all
                if stat.S_ISFIFO(os.stat(entry).st_mode):
                    raise HiFiPortraitError(f"{printable(entry)} is a named pipe: give a file or a folder")


def describe(error: Exception, bad_input: tuple[type[Exception], ...] = ()) -> tuple[str, int]:
    """Put an exception into one line and an exit code; `bad_input` as of `reports_errors`."""
    text = " ".join(str(error).split())
    if isinstance(error, (HiFiPortraitError, *bad_input)):
        return text, EXIT_BAD_INPUT
    if isinstance(error, UnicodeEncodeError) and not is_utf8(str(error.object)):
        name = printable(str(error.object))[:200]
        return f"{name} is no name in UTF-8, as is needed here: rename it", EXIT_BAD_INPUT
    if isinstance(error, OSError) and error.errno is not None:
        what = error.strerror or "cannot be used"
        return (f"{error.filename}: {what}" if error.filename else text), EXIT_BAD_INPUT
    if type(error).__name__ == "SafetensorError":
        return f"damaged safetensors file: {text}", EXIT_BAD_INPUT
    return f"unexpected {type(error).__name__}: {text}", EXIT_UNEXPECTED


def _fail(message: str, code: int) -> None:
    word = typer.style("error", fg="red", bold=True) if sys.stderr.isatty() else "error"
    sys.stderr.write(f"{word}: {printable(message)}\n")
    sys.stderr.flush()
    raise typer.Exit(code)
