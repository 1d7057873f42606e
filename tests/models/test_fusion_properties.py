"""What holds for every fusion of references, whatever their values and weights are."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from hifi_portrait.models.alignment import SEEN, fuse

REFERENCES, CHANNELS, SIDE = 4, 2, 3


def tensors(shape, low, high):
    """Tensors of a shape with float32 numbers between bounds."""
    numbers = st.floats(low, high, width=32)
    return arrays.arrays("float32", shape, elements=numbers).map(torch.from_numpy)


values = tensors((1, REFERENCES, CHANNELS, SIDE, SIDE), -8, 8)
visibility = tensors((1, REFERENCES, SIDE, SIDE), 0, 1)
confidence = tensors((1, REFERENCES, 1, SIDE, SIDE), -4, 4)
weights = tensors((1, REFERENCES), 0, 1)
in_use = tensors((1, REFERENCES), 0.125, 1)


@given(values, visibility, confidence, weights, st.permutations(range(REFERENCES)))
def test_the_order_of_references_does_not_matter(values, visibility, confidence, weights, order):
    given_order = fuse(values, visibility, confidence, weights)
    other_order = fuse(values[:, order], visibility[:, order], confidence[:, order], weights[:, order])
    for first, second in zip(given_order, other_order, strict=True):
        torch.testing.assert_close(first, second, atol=1e-4, rtol=1e-4)


@given(values, visibility, confidence, in_use, st.sets(st.integers(0, REFERENCES - 1), max_size=3))
def test_references_of_no_weight_are_as_if_not_there(values, visibility, confidence, in_use, absent):
    there = [n for n in range(REFERENCES) if n not in absent]
    weights, spoilt, sure = in_use.clone(), values.clone(), confidence.clone()
    for n in absent:
        weights[:, n], spoilt[:, n], sure[:, n] = 0, torch.inf, 40
    with_absent = fuse(spoilt, visibility, sure, weights)
    without = fuse(values[:, there], visibility[:, there], confidence[:, there], in_use[:, there])
    for first, second in zip(with_absent, without, strict=True):
        torch.testing.assert_close(first, second, atol=1e-4, rtol=1e-4)


@given(values, visibility, confidence, weights)
def test_what_is_fused_lies_between_the_references_and_nothing(values, visibility, confidence, weights):
    """A convex combination of the references' values and, where none is well seen, 0."""
    fused, coverage = fuse(values, visibility, confidence, weights)
    with_nothing = torch.cat([values, torch.zeros_like(values[:, :1])], dim=1)
    assert (fused >= with_nothing.amin(dim=1) - 1e-4).all()
    assert (fused <= with_nothing.amax(dim=1) + 1e-4).all()
    assert (coverage >= 0).all() and (coverage <= 1).all()


@given(values, visibility, in_use)
def test_references_that_agree_are_fused_to_what_they_agree_on(values, visibility, in_use):
    seen = visibility.clamp(min=0.5)
    alike = values[:, :1].expand_as(values)
    torch.testing.assert_close(fuse(alike, seen, None, in_use)[0], values[:, 0], atol=1e-4, rtol=1e-4)


@given(visibility, in_use, st.integers(0, REFERENCES - 1), st.floats(0.0625, 0.9375, width=32))
def test_a_reference_counts_by_how_well_it_is_seen(visibility, in_use, chosen, better):
    """Seen better, it has a greater part of the whole; as a softmax of log visibility, in proportion."""
    seen, one_hot = visibility.clamp(min=0.0625, max=0.5), torch.zeros(1, REFERENCES, 1, SIDE, SIDE)
    one_hot[:, chosen] = 1
    seen[:, (chosen + 1) % REFERENCES] = 1  # so that none fades
    seen[:, chosen] = better
    part = fuse(one_hot, seen, None, in_use)[0][:, 0]
    weighted = seen * in_use[:, :, None, None]
    torch.testing.assert_close(part, weighted[:, chosen] / weighted.sum(dim=1), atol=2e-3, rtol=2e-3)


@given(st.floats(0, 1, width=32), in_use)
def test_what_no_reference_sees_well_fades_to_nothing(visibility, in_use):
    """In full from `SEEN` on, and below in proportion to how well the best reference sees it."""
    ones = torch.ones(1, REFERENCES, CHANNELS, SIDE, SIDE)
    seen = torch.full((1, REFERENCES, SIDE, SIDE), visibility)
    seen[:, 1:] *= 0.5
    fused, coverage = fuse(ones, seen, None, in_use)
    torch.testing.assert_close(
        fused, torch.full_like(fused, min(1.0, visibility / SEEN)), atol=1e-4, rtol=1e-3
    )
    torch.testing.assert_close(coverage, torch.full_like(coverage, visibility))
