"""The attribute classifier: its classes, its file, its training, and the one that comes with the package."""

from __future__ import annotations

import numpy as np
import pytest

from hifi_portrait.dataset.format import IDDatasetWriter, PhotoRecord
from hifi_portrait.errors import DatasetError, ModelError
from hifi_portrait.evaluation.attributes import HEADS, AttributeReader, Head, read_labels
from hifi_portrait.evaluation.attributes.classes import (
    BACKGROUND,
    CLOTHING_COLOUR,
    GLASSES,
    HAIR_COLOUR,
    UNKNOWN,
    kind_of_background,
)
from hifi_portrait.evaluation.attributes.network import SIZE, AttributeNet
from hifi_portrait.evaluation.attributes.recoloured import make_recoloured_person, photograph_recoloured
from hifi_portrait.evaluation.attributes.testing import accuracy, confusion
from hifi_portrait.evaluation.attributes.training import (
    Examples,
    TrainingSettings,
    augment,
    read_examples,
    train,
)
from hifi_portrait.scenery.backdrops import BACKDROPS
from hifi_portrait.scenery.place_names import PLACES
from hifi_portrait.scenery.walls import WALLS

RED = {"style": "photo", "glasses": "round", "hair_style": "short", "hair_colour": "red"}
RED |= {"clothing_colour": "blue", "beard": "goatee", "background": "gradient", "light": "sunlight"}


def untrained() -> AttributeReader:
    return AttributeReader(AttributeNet([len(head.classes) for head in HEADS]))


def values(attributes):
    return [
        None if label == UNKNOWN else head.classes[label]
        for head, label in zip(HEADS, read_labels(attributes), strict=True)
    ]


def test_every_frame_counts_as_glasses():
    assert values(RED) == ["red", "glasses", "blue", "goatee", "plain", "sunlight", "photo"]


def test_the_bald_have_no_hair_colour():
    for style in ("bald", "covered"):
        assert values(RED | {"hair_style": style, "hair_colour": ""})[:3] == [None, "glasses", "blue"]


def test_a_picture_without_colours_has_glasses_only():
    read = values(RED | {"style": "pencil sketch", "glasses": "sunglasses"})
    assert read == [None, "sunglasses", None, "goatee", "plain", None, "pencil sketch"]


def test_a_background_is_of_the_kind_of_its_place():
    for background, place, kind in (
        ("place", "seaside at dusk", "seaside"),
        ("place", "photo studio", None),
        ("place", "somebody's own panorama", None),
        ("bokeh", "", "lights out of focus"),
        ("room", "", "indoors"),
        ("brick wall", "", "brick wall"),
    ):
        assert values(RED | {"background": background, "place": place})[4] == kind


def test_every_place_and_backdrop_has_a_kind_but_photo_studios():
    names = {place.name for place in PLACES.values()} | {*BACKDROPS, *WALLS}
    assert {name for name in names if kind_of_background(name) is None} == {"photo studio"}
    assert {kind_of_background(name) for name in names} - {None} == set(BACKGROUND.classes)


def test_merged_classes_are_one_answer_and_their_chances_add_up():
    head = Head("colour", ("red", "grey", "pink"), merged=(("red", "pink"),))
    assert head.same("red", "pink")
    assert not head.same("red", "grey")
    np.testing.assert_allclose(np.array([0.3, 0.4, 0.3]) @ head.grouping(), [0.6, 0.4])


def test_an_unknown_class_is_refused_by_its_name():
    with pytest.raises(ValueError, match="unknown glasses 'monocle'"):
        GLASSES.group_of("monocle")


def test_a_saved_classifier_reads_the_same(tmp_path):
    reader, pictures = untrained(), np.random.default_rng(0).integers(0, 256, (2, 60, 60, 3), np.uint8)
    reader.save(tmp_path / "a.safetensors")
    again = AttributeReader.load(tmp_path / "a.safetensors").probabilities(pictures)
    for name, expected in reader.probabilities(pictures).items():
        np.testing.assert_allclose(again[name], expected, atol=2e-3)


def test_a_file_that_is_no_classifier_is_refused_by_its_name(tmp_path):
    path = tmp_path / "b.safetensors"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(ModelError, match=r"b\.safetensors cannot be read"):
        AttributeReader.load(path)


def test_weights_for_other_classes_are_refused(tmp_path):
    from safetensors.numpy import save_file

    save_file({"x": np.zeros(1)}, str(tmp_path / "c.safetensors"), {"classes": '{"hair": ["red"]}'})
    with pytest.raises(ModelError, match="not an attribute classifier of this version"):
        AttributeReader.load(tmp_path / "c.safetensors")


def test_augmentation_keeps_the_colours():
    picture = np.full((32, 32, 3), (200, 30, 60), np.uint8)
    rng = np.random.default_rng(0)
    for _ in range(20):
        difference = augment(picture, TrainingSettings(soften=1.0), rng).astype(int) - picture
        assert np.abs(difference).max() <= 8


def test_training_learns_what_only_the_clothes_tell():
    rng = np.random.default_rng(0)
    pictures = rng.integers(90, 110, (64, SIZE, SIZE, 3)).astype(np.uint8)
    labels = np.full((64, len(HEADS)), UNKNOWN, dtype=np.int64)
    labels[:, 2] = np.arange(64) % 2
    pictures[labels[:, 2] == 1, 2 * SIZE // 3 :, SIZE // 3 : 2 * SIZE // 3] = (220, 40, 40)
    reader = train(Examples(pictures, labels), TrainingSettings(epochs=6, batch=16, learning_rate=3e-3))
    matrices = confusion(reader, Examples(pictures, labels))
    assert accuracy(matrices[CLOTHING_COLOUR.name]) > 0.9
    assert matrices[HAIR_COLOUR.name].sum() == 0


def test_photos_without_attributes_are_refused_by_their_name(tmp_path):
    with IDDatasetWriter(tmp_path) as writer:
        record = PhotoRecord.from_pixels(np.zeros((40, 40, 3), np.uint8), identity_id="anna", photo_id="7")
        writer.add("anna", [record])
    with pytest.raises(DatasetError, match="anna/7"):
        read_examples([tmp_path])


def test_recoloured_hair_does_not_follow_the_skin():
    people = [make_recoloured_person(seed)[0] for seed in range(120)]
    fair = [p.hair.colour in ("blond", "light blond", "red") for p in people if p.skin.melanin < 1.5]
    dark = [p.hair.colour in ("blond", "light blond", "red") for p in people if p.skin.melanin > 3]
    assert abs(np.mean(fair) - np.mean(dark)) < 0.25


def test_recoloured_photos_say_what_they_show():
    records = photograph_recoloured(8_000_001, photos=2, size=64)
    again = photograph_recoloured(8_000_001, photos=2, size=64)
    assert [(r.image, r.caption) for r in records] == [(r.image, r.caption) for r in again]
    assert len({record.attributes["hair_colour"] for record in records}) == 1
    assert UNKNOWN not in read_labels(records[0].attributes)[1:]


@pytest.mark.slow
def test_the_packaged_classifier_reads_unseen_people():
    reader, right = AttributeReader.load(), []
    for seed in range(9_600_000, 9_600_006):
        (record,) = photograph_recoloured(seed, photos=1)
        read = reader.read(record.pixels())
        for head, label in zip(HEADS, read_labels(record.attributes), strict=True):
            if label != UNKNOWN:
                right.append(head.same(head.classes[label], read[head.name]))
    assert np.mean(right) >= 0.8
