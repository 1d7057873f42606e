"""Arrays that values hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from hifi_portrait.head.arrays import make_arrays_read_only


@dataclass(frozen=True, eq=False)
class Held:
    array: np.ndarray
    name: str

    def __post_init__(self):
        make_arrays_read_only(self)


def test_a_values_arrays_are_read_only_and_the_callers_own_is_not():
    own = np.zeros(3)
    held = Held(own, "a")
    with pytest.raises(ValueError, match="read-only"):
        held.array[0] = 1
    own[0] = 2
    assert held.array[0] == 2 and held.name == "a"
