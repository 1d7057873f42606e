"""Samples that travel packed, and the shared memory that they need."""

import dataclasses

import pytest
import torch

from hifi_objectives import batch_of, hifi
from hifi_portrait.errors import HiFiPortraitError
from hifi_portrait.models.alignment import subsample_raster
from hifi_portrait.models.conditioning import FaceInputs
from hifi_portrait.training.engine.config import TrainerConfig
from hifi_portrait.training.engine.samples import check_shared_memory, measure_bytes
from hifi_portrait.training.objectives.hifi.config import HiFiDataConfig
from hifi_portrait.training.objectives.hifi.packed import pack_faces, unpack_batch

DRAWN = HiFiDataConfig(face_dropout=0, degraded_share=0)


@pytest.fixture(scope="module")
def both(prepared, base_folder):
    """The same samples, packed and not."""
    packed, whole = (
        hifi(prepared, base_folder, data=dataclasses.replace(DRAWN, packed=each)) for each in (True, False)
    )
    return packed, whole


def test_unpacked_faces_are_those_that_were_packed(both):
    packed, whole = (unpack_batch(batch_of(objective))["faces"] for objective in both)
    assert torch.equal(packed.crops, whole.crops)  # as large as the refiner looks at them
    assert torch.equal(packed.landmark[:, 6], whole.landmark[:, 6])
    torch.testing.assert_close(packed.landmark, whole.landmark, atol=0.5 / 511 + 1e-6, rtol=0)
    torch.testing.assert_close(packed.warp, whole.warp, atol=0.5 / 127.5 + 1e-6, rtol=0)
    for name in ("embeddings", "quality", "poses", "view_xy", "view_visibility", "keypoints", "mask"):
        assert torch.equal(getattr(packed, name), getattr(whole, name))


@pytest.mark.parametrize("side", [8, 16])
def test_the_raster_is_read_at_the_same_places(both, side):
    packed, whole = (unpack_batch(batch_of(objective))["faces"] for objective in both)
    rasters = [subsample_raster(each.triangle, each.barycentric, (side, side)) for each in (packed, whole)]
    assert torch.equal(rasters[0][0], rasters[1][0])
    shown = rasters[1][0] >= 0
    torch.testing.assert_close(rasters[0][1][shown], rasters[1][1][shown], atol=2e-3, rtol=0)


def test_packing_changes_the_loss_by_its_rounding_alone(both):
    losses = []
    for objective in both:
        torch.manual_seed(0)
        losses.append(float(objective(batch_of(objective))["denoising"].detach()))
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)
    assert both[0].sheet().shape == both[1].sheet().shape


def test_a_sample_of_sdxls_size_takes_16_megabytes():
    """With four references; 75 before."""
    side, vertices = 1024, 7000
    shapes = {
        "crops": (4, 3, side, side), "mask": (4,), "embeddings": (4, 128), "quality": (4,), "poses": (4, 3),
        "view_xy": (4, vertices, 2), "view_visibility": (4, vertices), "landmark": (7, side, side),
        "triangle": (side, side), "barycentric": (side, side, 3), "warp": (3, side, side),
        "warp_coverage": (1, side, side), "keypoints": (5, 2),
    }  # fmt: skip
    kinds = {"crops": torch.uint8, "triangle": torch.int32, "mask": torch.bool}
    tensors = {name: torch.zeros(1, *shape, dtype=kinds.get(name)) for name, shape in shapes.items()}
    faces = FaceInputs(**tensors)
    assert measure_bytes(faces) > 70e6
    assert measure_bytes(pack_faces(faces, (128, 128), 512)) <= 16e6


def test_shared_memory_is_asked_for_before_it_runs_out(both, tmp_path):
    objective = both[0]
    config = TrainerConfig(batch_size=2, learning_rate=1e-3, max_steps=1, workers=2)
    check_shared_memory(objective, config, 1, str(tmp_path))
    check_shared_memory(objective, config, 1, str(tmp_path / "no such folder"))
    huge = dataclasses.replace(config, batch_size=10**9)
    with pytest.raises(HiFiPortraitError, match=r"must hold [\d.]+ GB .* --shm-size=\d+g"):
        check_shared_memory(objective, huge, 1, str(tmp_path))
    check_shared_memory(objective, dataclasses.replace(huge, workers=0), 1, str(tmp_path))
