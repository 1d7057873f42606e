"""A dataclass as one parameter of a command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import typer
from typer.testing import CliRunner

from hifi_portrait.cli.groups import given_options, takes_groups


@dataclass(frozen=True)
class Light:
    """Two options."""

    PANEL: ClassVar[str] = "Light of the scene"

    colour: Annotated[str, typer.Option(help="Its colour.")] = "white"
    side_light: Annotated[float | None, typer.Option(min=0, help="From the side.")] = None


def invoke(*words):
    app, got = typer.Typer(), []

    @app.command()
    @takes_groups
    def paint(*, name: Annotated[str, typer.Argument()], times: int = 1, light: Light) -> None:
        got.append((name, times, light))

    return CliRunner().invoke(app, list(words)), got


def test_the_fields_are_options_and_arrive_as_one_value():
    result, got = invoke("anna", "--side-light", "0.5", "--times", "2")
    assert result.exit_code == 0
    assert got == [("anna", 2, Light(side_light=0.5))]


def test_what_is_not_given_has_the_defaults_of_the_group():
    assert invoke("anna")[1] == [("anna", 1, Light())]


def test_help_has_the_options_under_the_groups_heading():
    text = invoke("--help")[0].stdout
    assert "Light of the scene" in text
    assert text.index("--times") < text.index("Light of the scene") < text.index("--side-light")


def test_a_value_out_of_range_is_refused_as_for_any_option():
    assert invoke("anna", "--side-light", "-1")[0].exit_code == 2


def test_only_what_differs_from_the_defaults_was_given():
    assert given_options(Light()) == ""
    assert given_options(Light("deep blue", 0.5)) == "--colour 'deep blue' --side-light 0.5"
