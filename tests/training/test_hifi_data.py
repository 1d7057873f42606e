"""Samples of a portrait model: a target, references of the same person, a caption."""

import dataclasses

import numpy as np
import pytest
import torch

from hifi_objectives import hifi
from hifi_portrait.errors import DatasetError
from hifi_portrait.models.conditioning import face_inputs
from hifi_portrait.training.objectives.hifi.config import HiFiDataConfig
from hifi_portrait.training.objectives.hifi.data import HiFiData


def without_warps(prepared, settings):
    """Samples whose warps, which take the most time by far, stay empty."""
    return HiFiData(settings, prepared.folder, with_warp=False)


def test_same_index_gives_the_same_sample(prepared, base_folder):
    objective = hifi(prepared, base_folder)
    first, second = objective.sample(5), objective.sample(5)
    for field in dataclasses.fields(first["faces"]):
        assert torch.equal(getattr(first["faces"], field.name), getattr(second["faces"], field.name))
    assert torch.equal(first["token_ids"], second["token_ids"])


def test_held_out_people_are_drawn_once(prepared):
    data = HiFiData(HiFiDataConfig(), prepared.folder)
    first = data.held_out(1)
    assert data.held_out(1) is first
    assert len(first["latents"]) == 1 and len(data.held_out(2)["latents"]) == 2


def test_restyled_sittings_can_be_asked_for(prepared, monkeypatch):
    settings = HiFiDataConfig(named_share=1.0, face_dropout=0)
    for share in ("named_share", "glasses_share"):
        with pytest.raises(DatasetError, match=f"{share} = 0"):
            HiFiData(HiFiDataConfig(**{share: 1.0}), prepared.folder)
    named = prepared.arrays["identity"] == 1
    monkeypatch.setitem(prepared.arrays, "named", named)
    monkeypatch.setattr("hifi_portrait.training.objectives.hifi.data.Prepared", lambda folder: prepared)
    data = without_warps(prepared, settings)
    shown = {tuple(data.sample(index)["embedding"].tolist()) for index in range(12)}
    restyled = {tuple(row) for row in prepared.arrays["embeddings"][named].astype(np.float32).tolist()}
    assert shown and shown <= restyled


def test_sittings_in_which_glasses_change_can_be_asked_for(prepared, monkeypatch):
    """Glasses in all photos of a sitting, or in none, do not count; sunglasses and glasses do."""
    identities = prepared.arrays["identity"]
    worn = {0: "glasses", 1: "no glasses"}
    captions = [f"a woman with {worn.get(int(identity), 'no glasses')}" for identity in identities]
    captions[np.flatnonzero(identities == 0)[0]] = "a woman with round glasses"  # the same, said otherwise
    changing = np.flatnonzero(identities == 2)
    captions[changing[0]] = "a woman with sunglasses"
    captions[changing[1]] = "a woman with round glasses"
    monkeypatch.setitem(prepared.arrays, "named", np.ones(len(captions), bool))
    monkeypatch.setattr(prepared, "captions", captions)
    monkeypatch.setattr("hifi_portrait.training.objectives.hifi.data.Prepared", lambda folder: prepared)
    data = without_warps(prepared, HiFiDataConfig(named_share=1.0, glasses_share=1.0, face_dropout=0))
    assert [set(group) for group in data.with_and_without_glasses] == [set(changing)]
    shown = {tuple(data.sample(index)["embedding"].tolist()) for index in range(12)}
    wanted = {tuple(row) for row in prepared.arrays["embeddings"][changing].astype(np.float32).tolist()}
    assert shown and shown <= wanted


def test_captions_that_name_what_changes_stay_whole(prepared):
    data = without_warps(prepared, HiFiDataConfig(empty_caption=1.0))
    emptied = data.sample(0)["token_ids"]
    data.prepared.arrays["named"] = np.ones(len(data.prepared), bool)
    assert not torch.equal(data.sample(0)["token_ids"], emptied)


def test_references_of_another_sitting_are_told_apart(prepared):
    data = without_warps(prepared, HiFiDataConfig(face_dropout=0))
    assert not any(bool(data.sample(i)["one_sitting"]) for i in range(8))
    group = data.identities[0]
    sittings = np.array(data.prepared.arrays["sitting"])
    sittings[group] = 7
    data.prepared.arrays["sitting"] = sittings
    found = [data.sample(i) for i in range(2 * len(data.identities))]
    assert any(bool(sample["one_sitting"]) for sample in found)
    assert data.prepared.in_one_sitting(group) and not data.prepared.in_one_sitting(data.identities[1])


def test_references_can_be_asked_for_from_the_targets_sitting(prepared):
    settings = HiFiDataConfig(face_dropout=0, references=(1, 1), one_sitting_share=1.0)
    data = without_warps(prepared, settings)
    sittings = np.array(data.prepared.arrays["sitting"])
    for group in data.identities:
        sittings[group] = [*range(100, 100 + len(group) - 2), 7, 7]
    data.prepared.arrays["sitting"] = sittings
    alone = without_warps(prepared, dataclasses.replace(settings, one_sitting_share=0.0))
    alone.prepared.arrays["sitting"] = sittings
    together = [bool(data.sample(i)["one_sitting"]) for i in range(24)]
    by_chance = [bool(alone.sample(i)["one_sitting"]) for i in range(24)]
    assert sum(together) > sum(by_chance) > 0


def test_runs_of_samples_have_equally_many_references(prepared):
    data = without_warps(prepared, HiFiDataConfig(references=(1, 2), equal_counts=4))
    counts = [data.sample(i)["faces"].mask.shape[1] for i in range(48)]
    assert all(len(set(counts[i : i + 4])) == 1 for i in range(0, 48, 4))
    assert set(counts) == {1, 2}


def test_references_are_others_of_the_same_person(prepared):
    data = without_warps(prepared, HiFiDataConfig(references=(2, 2), degraded_share=0, face_dropout=0))
    crops = prepared.arrays["crops"]
    for index in range(6):
        sample = data.sample(index)
        found = [
            next(
                i for i, crop in enumerate(crops) if np.array_equal(crop, reference.permute(1, 2, 0).numpy())
            )
            for reference in sample["faces"].crops[0]
        ]
        target = next(i for i in range(9) if torch.equal(prepared.latents(i), sample["latents"]))
        assert target not in found
        assert {i // 3 for i in found} == {target // 3}


def test_training_and_pipeline_make_the_same_condition(prepared, base_folder):
    config = HiFiDataConfig(references=(2, 2), degraded_share=0, face_dropout=0, truth_share=0)
    objective = hifi(prepared, base_folder, data=config)
    data, rng = objective.data, np.random.default_rng(0)
    target, photos = data._choose(np.array([0, 1, 2]), rng, 2)
    sample = data._draw(target, photos, rng, config)
    references = prepared.references(photos, ["fit", "fit"])
    landmark = data.generator.from_geometry(prepared.geometry(target, "fit"), prepared.size)
    wanted = face_inputs(references, landmark)
    for field in dataclasses.fields(wanted):
        torch.testing.assert_close(
            getattr(sample["faces"], field.name),
            getattr(wanted, field.name),
            msg=lambda m, f=field: f"{f.name}: {m}",
        )
