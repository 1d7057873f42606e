import pytest
import torch

from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.surface import SurfaceView
from hifi_portrait.models.alignment import carry, fuse, subsample_raster, surface_grid
from painted_heads import geometry, paint, person


def views_of(photos):
    views = [SurfaceView.from_geometry(HeadModel.load(), head) for head in photos.geometries]
    return torch.stack([torch.tensor(v.xy) for v in views])[None], torch.stack(
        [torch.tensor(v.visibility) for v in views]
    )[None]


def raster_of(target):
    return torch.tensor(target.raster.triangle)[None], torch.tensor(target.raster.barycentric)[None]


FACES = torch.tensor(HeadModel.load().triangles.astype("int64"))


def test_the_grid_equals_a_walk_over_the_vertices():
    triangle, barycentric = raster_of(paint(HeadModel.load(), geometry(15, 64)))
    xy, visibility = views_of(person())
    grid, seen = surface_grid(triangle, barycentric, FACES, xy, visibility)
    rows, columns = torch.nonzero(triangle[0] >= 0, as_tuple=True)
    for row, column in list(zip(rows.tolist(), columns.tolist(), strict=False))[:: len(rows) // 50]:
        for reference in range(2):
            place, well = torch.zeros(2), torch.tensor(0.0)
            for corner, share in zip(
                FACES[triangle[0, row, column]], barycentric[0, row, column], strict=False
            ):
                place += share * xy[0, reference, corner]
                well += share * visibility[0, reference, corner]
            torch.testing.assert_close(grid[0, reference, row, column], place * 2 - 1, atol=1e-6, rtol=0)
            torch.testing.assert_close(seen[0, reference, row, column], well, atol=1e-6, rtol=0)


def test_nothing_is_seen_off_the_head():
    triangle, barycentric = raster_of(paint(HeadModel.load(), geometry(0, 64)))
    _, seen = surface_grid(triangle, barycentric, FACES, *views_of(person()))
    assert seen[:, :, triangle[0] < 0].abs().max() == 0


def test_a_batch_equals_its_samples_one_by_one():
    pairs = [
        (geometry(10, 64), person((0.0, 20.0))),
        (geometry(-20, 64, seed=1), person((5.0, -9.0), seed=1)),
    ]
    inputs = [(*raster_of(paint(HeadModel.load(), head)), *views_of(photos)) for head, photos in pairs]
    alone = [surface_grid(t, b, FACES, xy, v) for t, b, xy, v in inputs]
    triangle, barycentric, xy, visibility = (torch.cat(values) for values in zip(*inputs, strict=False))
    grid, seen = surface_grid(triangle, barycentric, FACES, xy, visibility)
    torch.testing.assert_close(grid, torch.cat([a[0] for a in alone]), atol=0, rtol=0)
    torch.testing.assert_close(seen, torch.cat([a[1] for a in alone]), atol=0, rtol=0)


def test_colours_land_where_they_belong():
    photos = person(size=256)
    target = paint(HeadModel.load(), geometry(8, 64))
    grid, seen = surface_grid(*raster_of(target), FACES, *views_of(photos))
    colours = torch.tensor(photos.crops).permute(0, 3, 1, 2)[None].float()
    fused, coverage = fuse(carry(colours, grid), seen)
    error = (fused[0].permute(1, 2, 0) - torch.tensor(target.image).float()).abs()
    assert error[coverage[0, 0] > 0.4].mean() < 2.0


def test_a_photo_of_the_same_view_is_carried_onto_itself():
    photos = person((12.0,))
    target = paint(HeadModel.load(), geometry(12, 64))
    grid, _ = surface_grid(*raster_of(target), FACES, *views_of(photos))
    rows, columns = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
    pixels = torch.stack([(columns + 0.5) / 32 - 1, (rows + 0.5) / 32 - 1], dim=-1)
    shown = torch.tensor(target.raster.triangle >= 0)
    assert (grid[0, 0] - pixels)[shown].abs().max() < 1e-3


def test_confidence_decides_between_references_seen_alike():
    values = torch.tensor([1.0, 2.0]).view(1, 2, 1, 1, 1)
    seen = torch.full((1, 2, 1, 1), 0.8)
    confidence = torch.tensor([0.0, 20.0]).view(1, 2, 1, 1, 1)
    fused, _ = fuse(values, seen, confidence)
    torch.testing.assert_close(fused.flatten(), torch.tensor([2.0]))


def test_a_reference_of_no_weight_changes_nothing():
    values, seen = torch.rand(1, 3, 2, 4, 4), torch.rand(1, 3, 4, 4)
    poisoned = torch.cat([values, torch.full((1, 1, 2, 4, 4), torch.inf)], dim=1)
    fused, coverage = fuse(values, seen, weights=torch.ones(1, 3))
    padded, padded_coverage = fuse(
        poisoned, torch.cat([seen, torch.ones(1, 1, 4, 4)], dim=1), weights=torch.tensor([[1.0, 1, 1, 0]])
    )
    torch.testing.assert_close(padded, fused, atol=0, rtol=0)
    torch.testing.assert_close(padded_coverage, coverage, atol=0, rtol=0)


def test_without_references_the_result_is_zero_and_differentiable():
    values = torch.rand(1, 2, 3, 4, 4, requires_grad=True)
    fused, coverage = fuse(values, torch.rand(1, 2, 4, 4), weights=torch.zeros(1, 2))
    fused.sum().backward()
    assert fused.abs().max() == 0 and coverage.max() == 0 and values.grad.isfinite().all()


def test_a_raster_is_subsampled_at_the_middle_of_blocks():
    triangle = torch.arange(64).view(1, 8, 8)
    small, _ = subsample_raster(triangle, torch.zeros(1, 8, 8, 3), (2, 2))
    assert small.flatten().tolist() == [18, 22, 50, 54]


def test_a_raster_that_does_not_divide_is_refused():
    with pytest.raises(ValueError, match="`size` must divide the raster's 8 x 8"):
        subsample_raster(torch.zeros(1, 8, 8), torch.zeros(1, 8, 8, 3), (3, 3))
