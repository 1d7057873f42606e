"""What every command shares: errors as one line with an exit code, and results on the standard output.

Exit codes: 0 done; 1 something unexpected; 2 the input cannot be used, and the message says why.
"""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import typer

from hifi_portrait.errors import HiFiPortraitError

EXIT_UNEXPECTED = 1
EXIT_BAD_INPUT = 2

_Command = TypeVar("_Command", bound=Callable[..., None])


def reports_errors(command: _Command) -> _Command:
    """Wrap a command so that its exceptions become one line on stderr and an exit code.

    ``MMRGAZE360_DEBUG=1`` lets the exception through with its traceback.
    """

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except (typer.Exit, typer.Abort, typer.BadParameter):
            raise
        except Exception as error:
            if os.environ.get("MMRGAZE360_DEBUG"):
                raise
            text = " ".join(str(error).split())
            known = isinstance(error, HiFiPortraitError | OSError | ValueError)
            message = text if known else f"unexpected {type(error).__name__}: {text}"
            sys.stderr.write(f"error: {message}\n")
            raise typer.Exit(EXIT_BAD_INPUT if known else EXIT_UNEXPECTED) from error

    return run  # type: ignore[return-value]  # of the command's own signature, by wraps


def emit(result: dict[str, Any], message: str, as_json: bool) -> None:
    """Print a command's result on stdout: as one JSON document, or as ``message`` for people."""
    typer.echo(json.dumps(result, ensure_ascii=False) if as_json else message)
