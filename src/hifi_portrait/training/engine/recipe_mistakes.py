"""What is wrong with a recipe, in words: pydantic's findings as one line that names the key."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, get_type_hints

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

_TYPES = {"int_type": "int", "int_from_float": "int", "float_type": "float", "string_type": "str"}
_TYPES |= {"bool_type": "bool"}
"""The type that was expected, by pydantic's kind of error."""


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """Explain one mistake; of several an unknown key, as it is often why another is missing.

    Parameters
    ----------
    model
        What was validated: its fields are dataclasses.
    """
    found = sorted(error.errors(), key=lambda one: one["type"] != "unexpected_keyword_argument")
    return _explain_one(found[0], model)


def _explain_one(error: ErrorDetails, model: type[BaseModel]) -> str:
    kind, place, value = error["type"], error["loc"], error["input"]
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")
    if kind == "unexpected_keyword_argument":
        known = [field.name for field in fields(_dataclass_at(model, place[:-1]))]
        close = get_close_matches(str(place[-1]), known, n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        return f"unknown key {key!r}{hint}; known are {', '.join(known)}"
    if kind == "missing" and isinstance(place[-1], str):
        return f"{key!r} is missing"
    if kind == "dataclass_type":
        return f"{key} must be a section, not {value!r}"
    if kind == "literal_error":
        return f"{key} must be one of {error['ctx']['expected']}, not {value!r}"
    if kind == "value_error":
        return f"{key}: {error['ctx']['error']}"
    if kind in _TYPES:
        return f"{key} must be {_TYPES[kind]}, not {value!r}"
    if kind in ("missing", "too_long", "tuple_type"):
        place = place[:-1] if isinstance(place[-1], int) else place
        section = _dataclass_at(model, place[:-1])
        expected = next(field.type for field in fields(section) if field.name == place[-1])
        return f"{'.'.join(map(str, place))} must be a list like {expected}, not {value!r}"
    return f"{key}: {error['msg']}, not {value!r}"


def _dataclass_at(model: type[BaseModel], place: tuple[int | str, ...]) -> type[Any]:
    """Find the dataclass of a section, such as ``("hifi", "losses")``."""
    section: Any = model.model_fields[str(place[0])].annotation
    for name in place[1:]:
        section = get_type_hints(section)[str(name)]
    assert is_dataclass(section) and isinstance(section, type)
    return section
