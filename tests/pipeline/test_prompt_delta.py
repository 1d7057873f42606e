import torch
import torch.nn.functional as F

from hifi_portrait.pipeline.prompt_delta import add_change


def test_what_a_prompt_changes_is_added_and_faint_differences_are_not():
    unprompted = torch.rand(1, 3, 64, 64) - 0.5
    prompted = unprompted + 0.01
    prompted[:, 0, :32] += 0.4  # a redder shirt
    sharp = unprompted + 0.02 * (torch.arange(64) % 2 - 0.5)
    added = add_change(sharp, prompted, unprompted, torch.ones(1, 1, 64, 64)) - sharp
    torch.testing.assert_close(added[:, 0, 4:24], torch.full((1, 20, 64), 0.41), atol=0.01, rtol=0)
    assert float(added[:, :, 44:].abs().max()) < 0.002


def test_hair_of_another_colour_has_no_halo():
    person = torch.zeros(1, 1, 256, 256)
    person[:, :, 64:192, 64:192] = 1
    blurred = F.avg_pool2d(person, 13, stride=1, padding=6, count_include_pad=False)
    unprompted = torch.zeros(1, 3, 256, 256)
    prompted = unprompted + 0.5 * blurred  # lighter hair, its outline blurred
    added = add_change(unprompted, prompted, unprompted, person)
    outside, inside = added[0, 0, 128, 50:63], added[0, 0, 128, 66:80]
    assert float(outside.abs().max()) < 0.03 < float((prompted - unprompted)[0, 0, 128, 60])
    torch.testing.assert_close(inside, torch.full_like(inside, 0.5), atol=0.03, rtol=0)


def test_thin_hair_keeps_its_own_change():
    person = torch.zeros(1, 1, 256, 256)
    person[:, :, :, 126:130] = 1  # no inside to take the change from
    unprompted = torch.zeros(1, 3, 256, 256)
    prompted = unprompted + 0.4 * person
    added = add_change(unprompted, prompted, unprompted, person)
    assert float(added[0, 0, 128, 128]) > 0.3


def test_a_changed_picture_is_as_sharp_as_before():
    unprompted = torch.full((1, 3, 128, 128), -0.3)
    prompted = unprompted + 0.5
    sharp = unprompted + 0.1 * (torch.arange(128) % 2 - 0.5)
    person = torch.ones(1, 1, 128, 128)
    changed = add_change(sharp, prompted, unprompted, person)
    torch.testing.assert_close(changed, sharp + 0.5, atol=0.01, rtol=0)
    torch.testing.assert_close(add_change(sharp, prompted, unprompted, person, 0.0), sharp)
