"""How many steps a start from the warp takes."""

import pytest

from hifi_portrait.pipeline.warp_start import schedule_length, steps_taken


@pytest.mark.parametrize(
    ("steps", "warp_strength", "taken"),
    [(30, 1.0, 30), (30, 0.5, 15), (10, 0.26, 3), (10, 0.04, 1), (1, 0.1, 1)],
)
def test_a_start_from_the_warp_takes_its_part_of_the_steps_and_one_at_least(steps, warp_strength, taken):
    assert steps_taken(steps, warp_strength) == taken


@pytest.mark.parametrize(
    ("steps", "warp_strength", "length"),
    [(30, 0.5, 30), (10, 0.04, 10), (20, 0.98, 21), (3, 0.9, 4), (1, 0.2, 5), (1, 0.01, 100)],
)
def test_a_start_from_the_warp_never_begins_at_noise_alone(steps, warp_strength, length):
    assert schedule_length(steps, warp_strength, 1000) == length
    assert length > steps_taken(steps, warp_strength)


def test_a_schedule_is_no_longer_than_a_scheduler_has_steps():
    assert schedule_length(1, 0.01, most=50) == 50
    assert schedule_length(1000, 0.9999, most=1000) == 1000
