"""Small networks with random weights, and a data set of two scenes drawn by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from transformers import Dinov2Config, Dinov2Model

from mmrgaze360 import sphere
from mmrgaze360.baselines import DualPathwayConfig
from mmrgaze360.dataset import GazeRecord, SceneRecord, write_header, write_shard
from mmrgaze360.dataset.format import encode_jpeg
from mmrgaze360.network import (
    HeadNetwork,
    HeadNetworkConfig,
    MMRGaze360,
    SceneNetwork,
    SceneNetworkConfig,
)
from mmrgaze360.network.detector import HeadDetector, HeadDetectorConfig

HEAD = HeadNetworkConfig(size=32, widths=(8, 8, 16, 16), hidden=16, dropout=0.0)
SCENE = SceneNetworkConfig(widths=(8, 8, 16, 16))
DETECTOR = HeadDetectorConfig(widths=(8, 8, 16, 16))
DUAL = DualPathwayConfig(head_widths=(8, 8, 16, 16), widths=(8, 8, 8, 8))


def tiny_model() -> MMRGaze360:
    torch.manual_seed(0)
    model = MMRGaze360(HeadNetwork(HEAD), SceneNetwork(SCENE))
    for parameter in model.scene.parameters():  # so that layers that start at zero say something
        if parameter.dim() > 1 and not parameter.any():
            torch.nn.init.normal_(parameter, std=0.3)
    model.detector = HeadDetector(DETECTOR)
    return model.eval()


def tiny_backbone(folder: Path) -> Path:
    """Save a DINOv2 of random weights."""
    config = Dinov2Config(
        hidden_size=32, num_hidden_layers=1, num_attention_heads=2, image_size=28, patch_size=14
    )
    Dinov2Model(config).save_pretrained(folder)
    return folder


def tiny_data(folder: Path, splits: tuple[str, ...] = ("train", "validation")) -> Path:
    """Write a data set: coloured noise, with one person who looks at something and one at the camera."""
    write_header(folder)
    rng = np.random.default_rng(0)
    for number, split in enumerate(splits):
        eyes = sphere.lonlat_to_direction(40 + 90 * number, 5) * 2
        target = sphere.lonlat_to_direction(-20, -30) * 3
        first = GazeRecord(
            head_box=np.array((40 + 90 * number, 5, 6.0, 8.0)),
            target=sphere.unit(target),
            target_distance=3.0,
            gaze=sphere.unit(target - eyes),
            head_direction=sphere.unit(target - eyes),
            eyes=eyes,
            kind="thing",
            person=number,
        )
        second = GazeRecord(
            head_box=np.array((-100.0, 10, 6.0, 8.0)),
            in_view=False,
            gaze=-sphere.lonlat_to_direction(-100, 10),
            eyes=sphere.lonlat_to_direction(-100, 10) * 2,
            target_distance=0.0,
            kind="camera",
            hidden_by="camera",
            person=number + 10,
        )
        picture = rng.integers(0, 255, (64, 128, 3), dtype=np.uint8)
        scene = SceneRecord(
            scene_id=f"tiny-{number}", split=split, image=encode_jpeg(picture), people=[first, second]
        )
        write_shard(folder, f"tiny-{number}", [scene])
    return folder
