"""Averages of the weights that learn."""

import pytest
import torch
from torch import nn

from hifi_portrait.training.engine.ema import AveragedWeights
from line_objective import LineObjective, trainer

CPU = torch.device("cpu")


@pytest.fixture
def parameter():
    return nn.Parameter(torch.tensor([1.0, -2.0]))


def follow(averaged, parameter, values):
    for value in values:
        parameter.data.fill_(value)
        averaged.step()


def average(averaged):
    return float(averaged.state_dict()["shadow_params"][0][0])


def test_an_average_keeps_its_decay_of_itself(parameter):
    averaged = AveragedWeights({"weight": parameter}, 0.1, CPU)
    follow(averaged, parameter, [1.0, 2.0, 5.0])
    first = 1.0  # the first step takes the weights as they are
    second = 0.1 * first + 0.9 * 2.0
    assert average(averaged) == pytest.approx(0.1 * second + 0.9 * 5.0)


def test_a_long_average_begins_short(parameter):
    """Else the first weights, which have learnt nothing, would stay in it for long."""
    averaged = AveragedWeights({"weight": parameter}, 0.999, CPU)
    follow(averaged, parameter, [1.0, 2.0])
    assert average(averaged) == pytest.approx(2 / 11 * 1.0 + 9 / 11 * 2.0)


def test_averages_take_the_parameters_place_and_give_it_back(parameter):
    averaged = AveragedWeights({"weight": parameter}, 0.5, CPU)
    follow(averaged, parameter, [1.0, 3.0])
    with averaged.applied():
        assert float(parameter.detach()[0]) == pytest.approx(average(averaged)) != 3.0
    assert float(parameter.detach()[0]) == 3.0


def test_averages_continue_from_a_checkpoint(parameter):
    whole, half = (AveragedWeights({"weight": parameter}, 0.9, CPU) for _ in range(2))
    follow(whole, parameter, [1.0, 2.0, 4.0, 8.0])
    follow(half, parameter, [1.0, 2.0])
    again = AveragedWeights({"weight": parameter}, 0.9, CPU)
    again.load_state_dict(half.state_dict())
    follow(again, parameter, [4.0, 8.0])
    assert average(again) == average(whole)


def test_a_run_averages_with_its_own_decay(tmp_path):
    """Without any, the averages are the last weights."""
    objective = LineObjective()
    run = trainer(tmp_path, objective, ema_decay=0.0, max_steps=6)
    run.train()
    averages = run.averaged.state_dict()["shadow_params"]
    assert torch.equal(averages[0], objective.part("line").weight)
