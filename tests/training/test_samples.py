"""The order of samples, and the seeds of what is random in a step."""

import numpy as np

from hifi_portrait.training.engine.samples import make_loader, shuffled_index
from hifi_portrait.training.engine.trainer import _step_seed
from line_objective import SETTINGS, LineObjective, TrainerConfig


def a_pass(number, count=20, seed=0):
    return [shuffled_index(number * count + place, count, seed) for place in range(count)]


def test_each_pass_visits_every_item_once_in_an_order_of_its_own():
    passes = [a_pass(number) for number in range(3)]
    assert all(sorted(each) == list(range(20)) for each in passes)
    assert list(range(20)) not in passes
    assert len({tuple(each) for each in passes}) == 3


def test_the_order_follows_the_seed():
    assert a_pass(0) == a_pass(0) != a_pass(0, seed=1)


def test_the_order_never_changes():
    """A run that was begun by an earlier release continues with the samples that it has not seen."""
    assert a_pass(0, count=8, seed=0) == list(np.random.default_rng([0, 0]).permutation(8))
    assert a_pass(2, count=8, seed=5) == list(np.random.default_rng([5, 2]).permutation(8))


def test_a_loader_begins_at_any_sample():
    objective = LineObjective()
    config = TrainerConfig(**SETTINGS, max_steps=1)
    next(iter(make_loader(objective, config, first=12)))
    assert objective.seen == [12, 13, 14, 15]


def test_every_step_and_process_has_a_seed_of_its_own():
    seeds = {
        _step_seed(seed, step, process) for seed in range(3) for step in range(50) for process in range(8)
    }
    assert len(seeds) == 3 * 50 * 8
