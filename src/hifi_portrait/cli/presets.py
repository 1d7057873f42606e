"""``hifi-portrait presets``: the expressions that have a name, and the coefficients that they are made of."""

from __future__ import annotations

from hifi_portrait.cli import options
from hifi_portrait.cli.console import emit


def presets(as_json: options.Json = False) -> None:
    """List the presets of --expression with their coefficients, and all 52 coefficients."""
    from hifi_portrait.head.geometry import EXPRESSION_NAMES
    from hifi_portrait.person.presets import PRESETS

    coefficients = {
        name: {each: value for each, value in zip(EXPRESSION_NAMES, values, strict=True) if value}
        for name, values in PRESETS.items()
    }
    lines = [
        f"{name}: {', '.join(f'{each}={value:g}' for each, value in parts.items()) or 'all 0'}"
        for name, parts in coefficients.items()
    ]
    lines += ["", "Coefficients, each from 0 to 1:", *EXPRESSION_NAMES]
    emit({"presets": coefficients, "coefficients": list(EXPRESSION_NAMES)}, "\n".join(lines), as_json)
