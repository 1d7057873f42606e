"""Many warps of one person with one look: what depends on the photos alone is found out once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from hifi_portrait.errors import TargetError
from hifi_portrait.head.arrays import ByteArray
from hifi_portrait.person.target import Target

if TYPE_CHECKING:
    from hifi_portrait.person.identity import Identity


def read_look(identity: Identity, look: int | Literal["auto"]) -> int:
    """Give the number of the photo that decides hair, clothes, light and background of a sequence.

    Parameters
    ----------
    identity
        The person.
    look
        The number; or "auto" for the photo that suits a head best that looks straight ahead.

    Raises
    ------
    TargetError
        The look is neither, or the person has no photo of that number.
    """
    if look == "auto":
        return identity.best_look([Target()])
    number = Target(look=look).look
    if number is None or number >= len(identity):
        raise TargetError(f"look must be 'auto' or a number from 0 to {len(identity) - 1}, but is {look!r}")
    return number


class WarpSession:
    """Draws a person again and again, with one look, at one size.

    Its pictures are those of `Identity.warp` for the same target and look. What depends on the photos alone
    is computed when it is made, so that the first picture is as quick as the others.

    Parameters
    ----------
    identity
        The person.
    size
        Side of the square pictures, in pixels; from 16 to 8192.
    look
        Number of the photo that decides hair, clothes, light and background; "auto" for the one that suits a
        head best that looks straight ahead.

    Raises
    ------
    TargetError
        There is no photo of that number.
    ValueError
        The size is no such whole number.
    """

    def __init__(self, identity: Identity, size: int = 256, look: int | Literal["auto"] = "auto") -> None:
        self.identity = identity
        self.size = size
        self.look = read_look(identity, look)
        """Number of the photo that decides."""
        self.draw(Target())

    def draw(self, target: Target) -> ByteArray:
        """Draw a target.

        Parameters
        ----------
        target
            What the picture is to show. Its look is the session's, whatever it says.

        Returns
        -------
        picture
            (size, size, 3) RGB.

        Raises
        ------
        TypeError
            The target is none.
        """
        if not isinstance(target, Target):
            raise TypeError(f"`target` must be a Target, but is {target!r:.80}")
        return self.identity.warp(target.replace(look=self.look), self.size)
