"""Objectives of the tiny size over a prepared folder."""

import copy

import torch

from hifi_portrait.training.objectives.hifi.config import HiFiConfig
from hifi_portrait.training.objectives.hifi.data import HiFiData
from hifi_portrait.training.objectives.hifi.objective import HiFiObjective

BASE_PARTS = ("unet", "text_encoder", "text_encoder_2")


def hifi(prepared, base_folder, **changes):
    return HiFiObjective(HiFiConfig(size="tiny", init_from=(str(base_folder),), **changes), prepared.folder)


def batch_of(objective, indices=(0, 1)):
    """Samples of an objective; those of a portrait model are drawn once for all that draw them alike."""
    data = getattr(objective, "data", None)
    if not isinstance(data, HiFiData) or objective.memory is not None:
        return objective.collate([objective.sample(index) for index in indices])
    switches = (data.seed, data.with_pictures, data.with_warp, data.arcface_chips, data.crop_size)
    key = (data.prepared.folder, data.config, switches, tuple(indices))
    if key not in _batches:
        _batches[key] = objective.collate([objective.sample(index) for index in indices])
    return copy.deepcopy(_batches[key])


_batches = {}


def gradients(objective, batch):
    """Which parts a batch teaches."""
    torch.manual_seed(0)
    sum(objective(batch).values()).backward()
    return {
        name: any(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in part.parameters())
        for name, part in objective.parts.items()
    }
