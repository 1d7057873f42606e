"""What becomes of a command's exceptions."""

from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner

from hifi_portrait.cli.console import describe, reports_errors
from hifi_portrait.errors import IdentityError


def result_of(error: BaseException):
    """What a command that raises it exits with."""
    app = typer.Typer()

    @app.command()
    @reports_errors
    def broken() -> None:
        raise error

    return CliRunner().invoke(app, [])


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (IdentityError("photos are of\ntwo people"), 2, "photos are of two people"),
        (FileNotFoundError(2, "No such file or directory", "a.jpg"), 2, "a.jpg: No such file or directory"),
        (RuntimeError("broken"), 1, "unexpected RuntimeError: broken"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_an_error_is_one_line_and_its_kinds_exit_code(monkeypatch, error, code, said):
    monkeypatch.delenv("HIFI_PORTRAIT_DEBUG", raising=False)
    result = result_of(error)
    assert result.exit_code == code
    assert result.stderr == f"error: {said}\n"


def test_an_error_is_raised_where_somebody_debugs(monkeypatch):
    monkeypatch.setenv("HIFI_PORTRAIT_DEBUG", "1")
    assert isinstance(result_of(RuntimeError("broken")).exception, RuntimeError)


def test_a_commands_own_exit_code_is_left_as_it_is():
    result = result_of(typer.Exit(7))
    assert (result.exit_code, result.stderr) == (7, "")


def test_a_damaged_file_of_weights_is_bad_input():
    error = type("SafetensorError", (Exception,), {})("header too small")
    assert describe(error) == ("damaged safetensors file: header too small", 2)
