import dataclasses
import shutil

import pytest
import torch
from torch.utils.data import DataLoader

from hifi_objectives import batch_of, hifi
from hifi_portrait.errors import ModelError
from hifi_portrait.models.build import build
from hifi_portrait.models.tensors import PADDED, join_tensors, map_tensors
from hifi_portrait.training.engine.checkpoint import latest_checkpoint, load_state
from hifi_portrait.training.engine.samples import SampleStream
from hifi_portrait.training.objectives.hifi.config import FACE_PARTS, HiFiDataConfig, HiFiLosses
from tiny_models import randomised

LEARNING = ("unet", "hifi_net", "face_attention")


@pytest.fixture(scope="module")
def learnt(base_folder, tmp_path_factory):
    """The base model, and face parts that have learnt something."""
    folder = shutil.copytree(base_folder, tmp_path_factory.mktemp("learnt") / "parts")
    for name, part in build("tiny", FACE_PARTS, seed=0).items():
        randomised(part).save_pretrained(folder / name)
    return folder


@pytest.fixture
def keeping(prepared, learnt):
    return hifi(prepared, learnt, kept_samples=4, trainable=LEARNING)


def gradient(objective, batch):
    """Of the weights by which HiFi-Net adds to the UNet."""
    objective.zero_grad()
    torch.manual_seed(0)
    sum(objective(batch).values()).backward()
    return objective.part("hifi_net").controlnet_down_blocks[0].weight.grad.flatten()


def test_kept_samples_teach_what_samples_teach(keeping):
    """Up to bfloat16's precision; faces of others teach something else."""
    memory, keeping.memory = keeping.memory, None
    plain = gradient(keeping, batch_of(keeping))
    keeping.memory = memory
    batch = batch_of(keeping)
    kept = gradient(keeping, batch)
    batch["faces"].condition = map_tensors(batch["faces"].condition, lambda t: t.flip(0))
    exchanged = gradient(keeping, batch)
    assert float((kept - plain).norm() / plain.norm()) < 0.03
    assert float((exchanged - plain).norm() / plain.norm()) > 0.1


def test_kept_samples_still_teach_unet_and_hifi_net(keeping):
    gradient(keeping, batch_of(keeping))
    for part, name in (("unet", "conv_in.weight"), ("hifi_net", "conv_in.weight")):
        assert float(dict(keeping.part(part).named_parameters())[name].grad.abs().sum()) > 0


def test_faces_are_looked_at_once(keeping, monkeypatch):
    first = batch_of(keeping, (0, 3))
    looked = []
    monkeypatch.setattr(type(keeping.conditioner), "__call__", lambda *_: looked.append(1))
    again = batch_of(keeping, (4, 7))
    assert not looked
    tensors = []
    for batch in (first, again):
        map_tensors(batch["faces"], lambda t: tensors.append(t) or t)
    half = len(tensors) // 2
    assert half >= 6
    assert all(torch.equal(a, b) for a, b in zip(tensors[:half], tensors[half:], strict=True))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"trainable": ("unet", "face_refiner")}, "face_refiner see each sample once"),
        ({"fresh": ("hifi_net",)}, "hifi_net must have learnt to see"),
        ({"losses": HiFiLosses(identity=0.1)}, r"hifi\.losses\.identity"),
        ({"data": HiFiDataConfig(equal_counts=3)}, r"a multiple of hifi\.data\.equal_counts"),
    ],
)
def test_samples_are_not_kept_where_they_would_be_wrong(prepared, learnt, changes, said):
    with pytest.raises(ModelError, match=said):
        hifi(prepared, learnt, **{"kept_samples": 4, "trainable": LEARNING} | changes)


@pytest.mark.slow
def test_a_resumed_run_keeps_the_same_samples(prepared, learnt, run_recipe, tmp_path):
    settings = [
        f'hifi.init_from=["{learnt}"]',
        'hifi.trainable=["unet", "hifi_net", "face_attention"]',
        "hifi.kept_samples=6",
        "hifi.sheet_people=1",
        "hifi.sheet_steps=1",
        "trainer.workers=0",
        "trainer.warmup_steps=1",
        "trainer.final_lr_share=1.0",
    ]
    whole = run_recipe("hifi", prepared.folder, *settings, out=tmp_path / "whole")
    run_recipe("hifi", prepared.folder, *settings, "trainer.max_steps=2", out=tmp_path / "half")
    half = run_recipe("hifi", prepared.folder, *settings, out=tmp_path / "half")
    first, second = (load_state(latest_checkpoint(run))["parts"]["unet"] for run in (whole, half))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_workers_keep_no_samples(keeping):
    loader = DataLoader(SampleStream(keeping.sample), num_workers=1, collate_fn=keeping.collate)
    with pytest.raises(ModelError, match=r"trainer\.workers = 0"):
        next(iter(loader))


@dataclasses.dataclass
class _Pair:
    one: torch.Tensor = dataclasses.field(metadata=PADDED)
    other: torch.Tensor | None


def test_tensors_are_joined_by_name_and_nones_stay():
    a, b = _Pair(torch.zeros(1, 2), None), _Pair(torch.ones(2, 2), None)
    joined = join_tensors([a, b])
    assert joined.one.tolist() == [[0, 0], [1, 1], [1, 1]]
    assert joined.other is None
    longer = join_tensors([a, _Pair(torch.ones(1, 3), None)])
    assert longer.one.tolist() == [[0, 0, 0], [1, 1, 1]]
    for pair in ([a, _Pair(a.one, a.one)], [_Pair(a.one, a.one), a]):
        with pytest.raises(ValueError, match="None"):
            join_tensors(pair)
    with pytest.raises(RuntimeError, match="Sizes of tensors must match"):
        join_tensors([_Pair(a.one, a.one), _Pair(a.one, longer.one)])


def test_only_tensors_are_mapped():
    with pytest.raises(TypeError, match="list"):
        map_tensors(_Pair([1.0], None), lambda t: t)
