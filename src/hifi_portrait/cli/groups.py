"""Groups of command-line options: a dataclass as one parameter of a command.

Many commands take the same dozen options. Declared as the fields of a dataclass, they are written once, the
command's signature stays short, and what was given travels on as one value::

    @dataclass(frozen=True)
    class PoseOptions:
        PANEL: ClassVar[str] = "Expression and pose"  # heading of these options in --help
        yaw: Annotated[float | None, typer.Option(help="Degrees.")] = None

    @takes_groups
    def warp(photos: options.Photos, pose: PoseOptions) -> None: ...
"""

from __future__ import annotations

import copy
import functools
import inspect
import shlex
from collections.abc import Callable
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def takes_groups(command: Callable[..., None]) -> Callable[..., None]:
    """Spell out a command's dataclass parameters as options for typer, and gather them again in a call.

    Parameters
    ----------
    command
        A command, some of whose parameters are annotated with dataclasses; each field of these has typer's
        ``Annotated[type, typer.Option(...)]`` and a default.

    Returns
    -------
    A command with one parameter for each field, in the place of the dataclass.
    """
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, type[DataclassInstance]] = {}
    parameters: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(command).parameters.items():
        kind = hints[name]
        if isinstance(kind, type) and is_dataclass(kind):
            groups[name] = kind
            parameters += _field_parameters(kind)
        else:
            parameters.append(parameter.replace(annotation=hints[name], kind=parameter.KEYWORD_ONLY))

    @functools.wraps(command)
    def run(**values: Any) -> None:
        for name, group in groups.items():
            values[name] = group(**{field.name: values.pop(field.name) for field in fields(group)})
        command(**values)

    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # read by inspect
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def given_options(group: DataclassInstance) -> str:
    """Write the options of a group that differ from their defaults as on the command line."""
    given = {
        field.name: getattr(group, field.name)
        for field in fields(group)
        if getattr(group, field.name) != _default(field)
    }
    return " ".join(f"--{name.replace('_', '-')} {shlex.quote(str(value))}" for name, value in given.items())


def _field_parameters(group: type[DataclassInstance]) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    parameters = []
    for field in fields(group):
        kind, option = hints[field.name].__origin__, copy.copy(hints[field.name].__metadata__[0])
        option.rich_help_panel = getattr(group, "PANEL", None)
        parameters.append(
            inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=_default(field),
                annotation=Annotated[kind, option],
            )
        )
    return parameters


def _default(field: Field[Any]) -> Any:
    return inspect.Parameter.empty if field.default is MISSING else field.default
