import numpy as np
import pytest
import torch

from hifi_portrait.models.regions import Regions


def test_boxes_and_masks_become_masks():
    disc = np.zeros((8, 16), np.float32)
    disc[2:6, 10:14] = 0.5
    regions = Regions.given([(0, 0, 0.5, 1), disc], 8, 16)
    assert regions.masks.shape == (2, 1, 8, 16)
    assert torch.equal(regions.masks[0, 0, :, :8], torch.ones(8, 8))
    assert float(regions.masks[0, 0, :, 8:].max()) == 0
    np.testing.assert_array_equal(regions.masks[1, 0], disc)


def test_where_parts_overlap_they_share():
    regions = Regions.given([(0, 0, 1, 1), (0.5, 0, 1, 1)], 8, 16)
    torch.testing.assert_close(regions.masks[:, 0, 0, 0], torch.tensor([1.0, 0.0]))
    torch.testing.assert_close(regions.masks[:, 0, 0, 12], torch.tensor([0.5, 0.5]))


@pytest.mark.parametrize("box", [(0.51, 0.51, 0.52, 0.52), (0.995, 0.995, 1, 1)])
def test_a_box_narrower_than_a_pixel_is_there_all_the_same(box):
    assert float(Regions.given([box], 64, 64).masks.sum()) == 1


@pytest.mark.parametrize("box", [(0.5, 0, 0.5, 1), (-0.1, 0, 1, 1)])
def test_what_is_no_box_is_refused(box):
    with pytest.raises(ValueError, match="a box in `regions` must be"):
        Regions.given([box], 8, 16)


@pytest.mark.parametrize(
    "mask", [np.ones((4, 4)), np.full((8, 16), 2.0), np.zeros((8, 16)), torch.ones(1, 8, 16), [0.5, 1]]
)
def test_what_is_no_mask_is_refused(mask):
    with pytest.raises(ValueError, match="a mask of 8 x 16"):
        Regions.given([mask], 8, 16)


def test_masks_may_be_tensors_or_lists():
    half = torch.zeros(8, 16)
    half[:, :8] = 1
    for mask in (half, half.tolist()):
        assert torch.equal(Regions.given([mask], 8, 16).masks[0, 0], half)


def test_each_head_has_what_is_near_it_and_all_of_it_is_shared():
    regions = Regions.around([(0.4, 0.25, 0.5), (0.4, 0.75, 0.5)], 64, 128)
    torch.testing.assert_close(regions.masks.sum(dim=0), torch.ones(1, 64, 128))
    assert float(regions.masks[0, 0, :, :50].min()) == 1
    assert float(regions.masks[1, 0, :, 78:].min()) == 1


def test_a_larger_head_has_more():
    small, large = Regions.around([(0.2, 0.25, 0.5), (0.6, 0.75, 0.5)], 64, 128).masks.mean(dim=(1, 2, 3))
    assert float(large) > 1.5 * float(small)


def test_what_is_below_a_head_is_its_body():
    """A step down counts less than one sideways: below a head is nearer to it than beside a lower one."""
    regions = Regions.around([(0.3, 0.7, 0.7), (0.3, 0.5, 0.35)], 100, 100)
    assert float(regions.masks[1, 0, 70, 48]) > 0.9


def test_places_of_a_layer_are_those_of_the_picture():
    masks = torch.zeros(2, 1, 32, 64)
    masks[0, ..., :32] = 1
    masks[1, :, 16:, 32:] = 1
    along = Regions(masks).along(8 * 16).reshape(2, 8, 16)
    torch.testing.assert_close(along, Regions(masks).at(8, 16)[:, 0])
    with pytest.raises(ValueError, match="no picture of 32 x 64"):
        Regions(masks).along(127)


def test_values_are_blended():
    masks = torch.zeros(2, 1, 4, 4)
    masks[0, ..., 0], masks[1, ..., 1] = 1, 1
    one, two = torch.full((3, 5, 4, 4), 2.0), torch.full((3, 5, 4, 4), 6.0)
    assert Regions(masks).blend([one, two])[0, 0, 0].tolist() == [2, 6, 0, 0]


def test_nobodys_part_goes_to_the_nearest_and_edges_are_soft():
    """So that neither two people are seen through each other nor a seam between them."""
    within = Regions.given([(0.2, 0.3, 0.4, 0.6), (0.6, 0.3, 0.8, 0.6)], 256, 256)
    around = Regions.around([(0.3, 0.3, 0.5), (0.3, 0.7, 0.5)], 256, 256)
    parts = within.filled(around).masks
    torch.testing.assert_close(parts.sum(dim=0), torch.ones(1, 256, 256))
    assert float(parts[0, 0, :, :100].min()) > 0.99
    assert float(parts[1, 0, :, 156:].min()) > 0.99
    halves = Regions.given([(0, 0, 0.5, 1), (0.5, 0, 1, 1)], 256, 256).filled(around).masks
    assert float(halves.diff(dim=-1).abs().max()) < 0.1
