"""HiFi-Net run at some of the steps only."""

import numpy as np
import pytest

from hifi_portrait.models.reuse import Reuse
from tiny_pipelines import TARGET, a_pipeline, draw


def counting(pipe):
    """How often HiFi-Net's encoder runs, as a list that grows."""
    runs = []
    pipe.hifi_net.conv_in.register_forward_hook(lambda *_: runs.append(1))
    return runs


@pytest.mark.parametrize(("every", "runs"), [(1, 7), (2, 4), (3, 3), (9, 1)])
def test_it_runs_at_every_so_many_th_step(pipe, identity, every, runs):
    counted = counting(pipe)
    draw(pipe, identity, num_inference_steps=7, hifi_every=every, guidance_scale=3.0)
    assert len(counted) == runs


def test_at_every_step_nothing_changes_and_at_every_second_little(pipe, identity):
    words = {"num_inference_steps": 12}
    plain = draw(pipe, identity, **words)
    assert np.array_equal(draw(pipe, identity, hifi_every=1, **words), plain)
    reused = np.abs(draw(pipe, identity, hifi_every=2, **words) - plain).mean()
    without = np.abs(draw(pipe, identity, hifi_scale=0.0, **words) - plain).mean()
    assert 0 < reused < 0.2 * without


def test_each_call_begins_anew(pipe, identity):
    """Nothing of a call is left for the next, which may be of another person or batch."""
    words = {"num_inference_steps": 3, "hifi_every": 5}
    first = draw(pipe, identity, **words)
    draw(pipe, identity, TARGET.replace(expression="sad"), num_images_per_prompt=2, **words)
    assert np.array_equal(draw(pipe, identity, **words), first)


@pytest.mark.parametrize("rounds", [1, 3])
def test_a_start_from_the_warp_with_a_prompt_computes_for_both_draws_of_a_round(pipe, identity, rounds):
    counted = counting(pipe)
    settings = {"warp_strength": 0.5, "hifi_every": 4, "prompt": "a beard", "prompt_rounds": rounds}
    draw(pipe, identity, num_inference_steps=8, **settings)
    assert len(counted) == 2 * rounds
    counted.clear()
    draw(pipe, identity, num_inference_steps=10, **settings)  # takes 5: each draw computes twice
    assert len(counted) == 2 * 2 * rounds


def test_a_batch_of_another_size_is_computed_anew():
    reuse, computed = Reuse(10), []

    def compute(samples):
        computed.append(samples)
        return [], np.zeros(samples)

    for samples in (1, 1, 2, 2):
        reuse.residuals(lambda samples=samples: compute(samples), samples)
    assert computed == [1, 2]


@pytest.mark.parametrize("every", [0, -1, 1.5, "2"])
def test_other_numbers_are_refused(identity, every):
    with pytest.raises(ValueError, match="`hifi_every` must be a whole number of 1 or more"):
        draw(a_pipeline(), identity, hifi_every=every)
