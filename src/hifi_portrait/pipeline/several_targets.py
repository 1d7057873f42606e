"""Several targets of one person: a call for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hifi_portrait.errors import ArgumentError
from hifi_portrait.person.identity import Identity
from hifi_portrait.person.target import Target
from hifi_portrait.pipeline.multi_prompt import join_pictures


def draw_each_target(
    draw: Callable[..., Any],
    identity: Identity,
    targets: Sequence[Target],
    arguments: Mapping[str, Any],
    generator: Any,
) -> Any:
    """Draw a person as each of several targets asks, with one look.

    Where none of the targets names a look, all have that of the photo that suits them best together, so that
    hair, clothes, light and background are the same in all pictures.

    Parameters
    ----------
    draw
        The pipeline.
    identity, targets
        Who, and how.
    arguments
        All other arguments of a call but `generator` and `return_dict`.
    generator
        The source of noise. A generator serves all targets in turn, a seed each of them alike; of a list each
        target has its part.

    Returns
    -------
    Any
        The pictures, in the targets' order, as one call gives them.

    Raises
    ------
    ValueError
        If there is no target, or the generators cannot be shared out.
    """
    if not targets:
        raise ArgumentError("`target` is an empty list: give at least one Target")
    parts: list[Any] = [generator] * len(targets)
    if isinstance(generator, list | tuple):
        each, rest = divmod(len(generator), len(targets))
        if rest or not each:
            raise ArgumentError(
                f"`generator` must be one, or one a picture of the {len(targets)} targets, but are"
                f" {len(generator)}"
            )
        parts = [list(generator[each * place :][:each]) for place in range(len(targets))]
    if all(target.look is None for target in targets):
        look = identity.best_look(targets)
        targets = [target.replace(look=look) for target in targets]
    drawn = [
        draw(identity, target, generator=part, return_dict=True, **arguments).images
        for target, part in zip(targets, parts, strict=True)
    ]
    return join_pictures(drawn)
