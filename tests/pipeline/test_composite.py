import pytest
import torch

from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.pipeline.composite import blend_warp, find_doubt, mask_matted


def test_the_warp_is_kept_where_it_is_sure():
    on_head = torch.zeros(1, 1, 128, 128, dtype=torch.bool)
    on_head[:, :, 32:96, 32:96] = True
    coverage = on_head.float()
    coverage[:, :, 60:68, 60:68] = 0  # seen by nobody
    doubts = find_doubt(on_head, coverage, torch.zeros_like(on_head))
    warp = torch.full((1, 3, 128, 128), -0.2)
    picture = torch.full((2, 3, 128, 128), 1.0)
    drawn = blend_warp(picture, warp, doubts, 1.0)
    torch.testing.assert_close(drawn[:, :, 46, 46], warp[:, :, 46, 46].expand(2, -1), atol=0.02, rtol=0)
    torch.testing.assert_close(drawn[:, :, 10, 10], warp[:, :, 10, 10].expand(2, -1), atol=0.02, rtol=0)
    patterned = picture + 0.05 * (torch.arange(128) % 2 - 0.5)
    mended = blend_warp(patterned, warp, doubts, 1.0)
    for row, column in (
        (32, 64),
        (64, 64),
    ):  # the outline, and what is unseen: the picture in the warp's shade
        around = mended[:, :, row, column : column + 4]
        assert float(around.std(dim=-1).min()) > 0.02
        torch.testing.assert_close(around.mean(), torch.tensor(-0.2), atol=0.05, rtol=0)  # the warp's shade
    assert float(mended[:, :, 46, 44:52].std()) < 0.005
    assert torch.equal(blend_warp(picture, warp, doubts, 0.0), picture)
    of_hair = torch.zeros_like(on_head)
    of_hair[:, :, 32:40, 60:68] = True
    under_hair = find_doubt(on_head, coverage, of_hair)[0, 0, 32]
    assert float(under_hair[64]) < 0.1 < 0.9 < float(under_hair[44])
    agreeing = warp + 0.05 * (torch.arange(128) % 2 - 0.5)
    torch.testing.assert_close(blend_warp(agreeing, warp, doubts, 1.0), warp, atol=0.002, rtol=0)


def test_a_blotch_that_was_mended_stays_mended_on_the_head_alone():
    warp = torch.zeros(1, 3, 256, 256)
    warp[:, :, 60:84, 60:84] = warp[:, :, 160:184, 160:184] = -2.4
    picture, doubts = torch.zeros_like(warp), torch.zeros(1, 1, 256, 256)
    on_head = torch.zeros(1, 1, 256, 256, dtype=torch.bool)
    on_head[:, :, :128] = True
    kept = blend_warp(picture, warp, doubts, 1.0, on_head=on_head)
    assert float(kept[0, 0, 72, 72]) > -0.1
    assert float(kept[0, 0, 172, 172]) == pytest.approx(-1)


def test_blotches_draw_no_line_along_the_heads_outline():
    picture = torch.zeros(1, 3, 256, 256)
    picture[:, :, 116:140, 100:124] = -2.4  # what the networks draw across the outline
    warp, doubts = torch.zeros_like(picture), torch.zeros(1, 1, 256, 256)
    on_head = torch.zeros(1, 1, 256, 256, dtype=torch.bool)
    on_head[:, :, :128] = True
    drawn = blend_warp(picture, warp, doubts, 1.0, on_head=on_head)[0, 0, :, 112]
    assert float(drawn[127] - drawn[128]) == pytest.approx(0, abs=0.1)


def test_outlines_of_mattes_are_those_of_scalp_and_shoulders():
    model = HeadModel.load()
    mean = model.mean[: model.num_vertices]
    heights = mean[model.triangles].mean(axis=1)[:, 2]
    crown, shoulder = int(heights.argmax()), int((model.parts == Part.SHOULDERS).argmax())
    nose = int(mean[model.triangles].mean(axis=1)[:, 1].argmin())
    triangles = torch.tensor([[[crown, shoulder, nose, -1]]])
    assert mask_matted(triangles, model)[0, 0, 0].tolist() == [True, True, False, False]
