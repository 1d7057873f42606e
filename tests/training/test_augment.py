import numpy as np
import pytest

from hifi_portrait.training.data.augment import ColourGrade, compress, degrade, expose, occlude, shrink


@pytest.fixture
def picture():
    return np.random.default_rng(0).integers(0, 256, (48, 40, 3), np.uint8)


def test_degraded_pictures_keep_shape_and_type(picture):
    for seed in range(20):
        worn = degrade(picture, np.random.default_rng(seed))
        assert (worn.shape, worn.dtype) == (picture.shape, np.uint8)


def test_degrading_follows_the_generator(picture):
    first, second = (degrade(picture, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(first, second)


def test_shrinking_removes_fine_detail(picture):
    assert shrink(picture.astype(np.float32), 0.4).std() < 0.6 * picture.std()


def test_exposure_brightens(picture):
    scaled = picture / 255
    assert expose(scaled, gain=1.3, gamma=1).mean() == pytest.approx(1.3 * scaled.mean(), rel=1e-3)


def test_worse_jpeg_is_farther_from_the_picture(picture):
    errors = [np.abs(compress(picture, quality).astype(int) - picture).mean() for quality in (95, 30)]
    assert errors[0] < errors[1]


def test_what_occludes_covers_a_part_at_the_edge_with_one_colour():
    for seed in range(20):
        covered = occlude(np.full((64, 64, 3), 2.0, np.float32), np.random.default_rng(seed)) < 1.9
        assert 0.01 < covered.mean() < 0.25
        assert not covered[28:36, 28:36].any()


def test_a_grade_is_the_same_for_all_photos(picture):
    grade = ColourGrade.sample(np.random.default_rng(5))
    assert np.array_equal(grade(np.stack([picture, picture[::-1]]))[1], grade(picture)[::-1])
    assert not np.array_equal(grade(picture), picture)


def test_a_neutral_grade_changes_nothing(picture):
    assert np.array_equal(ColourGrade(1.0, 1.0, (1.0, 1.0, 1.0))(picture), picture)
