"""The head detector: from boxes to what it is taught, and from what it says back to boxes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from gaze360.tiny import DETECTOR, tiny_data
from hifi_portrait.errors import DatasetError
from mmrgaze360 import Panorama, sphere
from mmrgaze360.dataset import GazeRecord
from mmrgaze360.detect_heads import LEVELS, Level, box_from_view, detect_heads, keep_surest
from mmrgaze360.measures.finding import FoundHeads, box_overlap, match_boxes
from mmrgaze360.network.detector import STRIDE, HeadDetector
from mmrgaze360.training.detector import DetectorConfig, DetectorObjective, head_in_view, mark_heads

SETTINGS = DetectorConfig(network=DETECTOR, size=64, held_out=1)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_data(tmp_path_factory.mktemp("heads") / "data"))


@pytest.mark.parametrize("box", [(10.0, 5, 6, 8), (-179, -40, 9, 12), (170, 62, 4.5, 6)])
def test_boxes_come_back_from_views(box: tuple[float, ...]) -> None:
    level = Level(fov=70.0, size=192, places=())
    head = sphere.lonlat_to_direction(box[0], box[1])
    towards = sphere.unit(sphere.rotation_of_view(head) @ (0.2, 1.0, -0.15))
    patch = sphere.TangentPatch(rotation=sphere.rotation_of_view(towards), fov=70.0, size=192)
    x, y, height = head_in_view(np.array(box), patch)
    found = box_from_view(x, y, height, patch.rotation, level)
    assert box_overlap(found, np.array(box)) > 0.95


def test_the_views_cover_the_sphere_and_overlap() -> None:
    rng = np.random.default_rng(0)
    directions = sphere.unit(rng.normal(size=(400, 3)))
    fine, coarse = LEVELS
    for level, least, height in ((fine, 0.85, 10.0), (coarse, 0.99, 20.0)):
        patches = [
            sphere.TangentPatch(
                rotation=sphere.rotation_of_view(sphere.lonlat_to_direction(*place)),
                fov=level.fov,
                size=level.size,
            )
            for place in level.places
        ]
        reach = 0.4 * height / 180 * np.pi * level.focal
        seen = [
            any(
                (reach < place).all() and (place < level.size - reach).all()
                for place in (patch.project(d) for patch in patches)
                if np.isfinite(place).all()
            )
            for d in directions
        ]
        assert np.mean(seen) >= least


def test_what_is_taught_marks_the_middle() -> None:
    heads = np.array([(33.0, 22.0, 16.0), (50, 50, 3), (2, 40, 16), (np.nan, np.nan, np.nan)])
    taught = mark_heads(heads, 16)
    assert [tuple(place) for place in torch.nonzero(taught["mark"] == 1).tolist()] == [(5, 8)]
    right, down, log_height = taught["places"][:, 5, 8].tolist()
    assert (8.5 + right) * STRIDE == pytest.approx(33) and (5.5 + down) * STRIDE == pytest.approx(22)
    assert np.exp(log_height) * STRIDE == pytest.approx(16)
    assert taught["known"][12, 12] == 0 and taught["known"][10, 0] == 0  # too small; cut off
    assert taught["known"][5, 8] == 1


class RedDetector(HeadDetector):
    """Takes red for heads, so that the way from views to boxes can be followed without training."""

    def forward(self, views: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        red = torch.nn.functional.avg_pool2d((views[:, 0] - views[:, 1])[:, None] / 2, STRIDE)[:, 0]
        logits = 20 * (torch.nn.functional.avg_pool2d(red[:, None], 7, 1, 3)[:, 0] - 0.5)
        places = torch.zeros(len(views), 3, *logits.shape[1:])
        places[:, 2] = np.log(20 / STRIDE)
        return logits, places


@pytest.mark.parametrize("longitude", [0.0, 180.0, 65.0])
def test_a_head_in_several_views_is_found_once(longitude: float) -> None:
    middle = sphere.lonlat_to_direction(longitude, 20)
    away = np.degrees(sphere.angle_between(sphere.direction_grid(512, 256), middle))
    pixels = np.full((256, 512, 3), 60, np.uint8)
    pixels[away < 5, 0] = 255
    pixels[away < 5, 1:] = 0
    boxes, scores = detect_heads(RedDetector(DETECTOR), Panorama(pixels))
    fine = [box for box in boxes if box[3] < 15]  # the coarse views' own guess at the size is larger
    assert len(fine) == 1 and scores[0] > 0.9
    assert np.degrees(sphere.angle_between(sphere.lonlat_to_direction(*fine[0][:2]), middle)) < 2.5


def test_of_boxes_about_one_head_the_surest_is_kept() -> None:
    middles = ((10, 0), (11, 1), (40, 0), (-179, 0), (180, 1))
    boxes = [np.array((*middle, 6.0, 8.0)) for middle in middles]
    kept, scores = keep_surest(boxes, [0.5, 0.9, 0.6, 0.4, 0.7])
    assert scores == [0.9, 0.7, 0.6] and np.allclose(kept[0], boxes[1])
    assert keep_surest([], []) == ([], [])


def test_overlap_is_measured_over_the_seam_and_at_height() -> None:
    box = np.array((180.0, 50, 6, 8))
    assert box_overlap(box, box) == pytest.approx(1, abs=1e-6)
    assert box_overlap(box, np.array((-180 + 3 / np.cos(np.radians(50)), 50, 6, 8))) == pytest.approx(
        1 / 3, abs=0.02
    )
    assert box_overlap(box, np.array((0.0, -50, 6, 8))) == 0
    assert match_boxes([box, box, np.array((0.0, 0, 6, 8))], [box]) == [0, -1, -1]


def test_recall_and_precision_are_counted_by_stratum() -> None:
    def person(lon: float, height: float, away: bool) -> GazeRecord:
        head = sphere.lonlat_to_direction(lon, 0)
        box = np.array((lon, 0, 0.75 * height, height))
        return GazeRecord(head_box=box, head_direction=head if away else -head)

    people = [person(0, 8, False), person(60, 8, True), person(120, 4, True)]
    counts = FoundHeads()
    counts.add([people[0].head_box, people[2].head_box, np.array((-90.0, 0, 6, 8))], people)
    counts.add([], [person(0, 12, False)])
    found = counts.result()
    assert found["all"] == {"recall": 0.5, "people": 4.0, "precision": pytest.approx(2 / 3)}
    assert found["turned away"]["recall"] == 0.5 and found["face seen"]["recall"] == 0.5
    assert found["below 6 degrees high"]["recall"] == 1 and found["above 10 degrees high"]["recall"] == 0


def test_the_detector_learns_one_batch(data: str) -> None:
    objective = DetectorObjective(SETTINGS, data)
    first, again = objective.sample(3), objective.sample(3)
    assert all(torch.equal(first[name], again[name]) for name in first)
    batch = objective.collate([objective.sample(k) for k in range(8)])
    assert (batch["mark"] == 1).sum() >= 3
    optimiser = torch.optim.Adam(objective.parameters(), 3e-3)
    losses = []
    for _ in range(15):
        terms = objective(batch)
        assert set(terms) == {"heads", "places"}
        loss = torch.stack(list(terms.values())).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.7 * losses[0]
    assert set(objective.metrics()) == {"recall", "precision"}
    assert objective.sheet().shape == (256, 512, 3)


def test_data_without_people_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no person"):
        DetectorObjective(SETTINGS, str(tiny_data(tmp_path / "data", ("test",))))
