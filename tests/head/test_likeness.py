import numpy as np
import pytest

from calibrate_likeness import learn_axes
from hifi_portrait.head import IDENTITY_COMPONENTS, shape_embedding


def rank1(gallery, probes):
    return float(((probes @ gallery.T).argmax(1) == np.arange(len(gallery))).mean())


def unit(values):
    return values / np.linalg.norm(values, axis=-1, keepdims=True)


def fits(people, noise, seed):
    """Two noisy fits each of people who differ in the first half of the components only."""
    rng = np.random.default_rng(seed)
    shape = np.zeros((people, 20))
    shape[:, :10] = rng.normal(size=(people, 10))
    return [shape + noise * rng.normal(size=shape.shape) for _ in range(2)]


def test_embeddings_are_unit_vectors_for_any_leading_shape():
    identity = np.random.default_rng(0).normal(size=(2, 3, IDENTITY_COMPONENTS))
    embedding = shape_embedding(identity)
    assert embedding.shape == identity.shape
    np.testing.assert_allclose(np.linalg.norm(embedding, axis=-1), 1, atol=1e-5)
    np.testing.assert_array_equal(embedding[1, 2], shape_embedding(identity[1, 2]))


def test_the_axes_are_those_that_tell_people_apart():
    noise = np.where(np.arange(20) < 10, 0.3, 2.0)
    mean, axes = learn_axes(*fits(1000, noise, 0))
    first, second = fits(100, noise, 1)
    learnt = rank1(unit((first - mean) @ axes), unit((second - mean) @ axes))
    assert learnt > rank1(unit(first), unit(second)) + 0.4


def test_directions_of_pure_noise_have_no_say():
    mean, axes = learn_axes(*fits(2000, 1.0, 0))
    assert np.abs(mean).max() < 0.1
    size = np.linalg.norm(axes, axis=1)
    assert size[10:].max() < 0.35 * size[:10].min()


def test_something_else_than_coefficients_is_refused():
    with pytest.raises(ValueError, match="80 values"):
        shape_embedding(np.zeros(79))
