from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from hifi_portrait.head import ShapeModel, TextureMasks, rest_vertices, sample_shape
from hifi_portrait.head.phenotype import PHENOTYPE_NAMES, anchor_weights


def test_same_seed_gives_the_same_head() -> None:
    first, second = (rest_vertices(sample_shape(np.random.default_rng(7))) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_seeds_give_different_heads() -> None:
    first, second = (rest_vertices(sample_shape(np.random.default_rng(seed))) for seed in (1, 2))
    assert np.linalg.norm(first - second, axis=1).mean() > 0.002


def test_samples_are_adults_within_range() -> None:
    for seed in range(50):
        sample = sample_shape(np.random.default_rng(seed))
        assert sample.age >= 0.62
        assert sum(sample.ancestry.values()) == pytest.approx(1)
        assert np.abs(sample.local).max() <= 1


def test_left_and_right_are_nearly_alike() -> None:
    model = ShapeModel.load()
    sample = sample_shape(np.random.default_rng(0))
    names = {name: i for i, name in enumerate(model.local_names)}
    pairs = [(i, names["r-" + name[2:]]) for name, i in names.items() if name.startswith("l-")]
    difference = [abs(sample.local[i] - sample.local[j]) for i, j in pairs]
    assert np.mean(difference) < 0.08


def test_anchor_weights_interpolate() -> None:
    np.testing.assert_allclose(anchor_weights(0.75, np.array([0.0, 0.5, 1.0])), [0, 0.5, 0.5])
    np.testing.assert_allclose(anchor_weights(2.0, np.array([0.0, 0.5, 1.0])), [0, 0, 1])


def test_texture_masks_lie_on_the_head() -> None:
    texture = TextureMasks.load()
    shares = {name: mask.mean() for name, mask in texture.masks.items()}
    assert set(shares) == {"face", "lips", "eyelids", "ears", "inside-mouth"}
    assert 0.001 < shares["lips"] < 0.1


@pytest.mark.slow
def test_rest_meshes_equal_annys() -> None:
    """On the head to 0.1 mm, on neck and shoulders to 0.5 mm, over 100 random people."""
    pytest.importorskip("anny", reason="needs the assets extra")
    sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
    import export_head

    export = export_head.Export(export_head.load_anny())
    export.keep_adult_phenotypes(export_head.random_adults(np.random.default_rng(1), 2000))
    head = export.base[:, 2] > export_head.BODY_BLOCK_BELOW
    for seed in range(100):
        sample = sample_shape(np.random.default_rng(seed))
        phenotype = np.array([[sample.phenotype[name] for name in PHENOTYPE_NAMES]])
        exact = export.base + np.tensordot(export.phenotype_weights(phenotype)[0], export.phenotype, 1)
        parts = np.stack([np.maximum(sample.local, 0), np.maximum(-sample.local, 0)], axis=1)
        exact += np.tensordot(parts, export.local, 2)
        error = np.linalg.norm(rest_vertices(sample) - exact, axis=1)
        assert error[head].max() < 1e-4
        assert error.max() < 5e-4
