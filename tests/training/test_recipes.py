from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hifi_portrait.errors import RecipeError
from hifi_portrait.io.names import BUNDLED_MODEL
from hifi_portrait.training.data.tokenizer import load_tokenizer
from hifi_portrait.training.engine.weights import find_part
from hifi_portrait.training.recipes.describing import Setting, list_settings
from hifi_portrait.training.recipes.reading import OBJECTIVES, load_recipe, recipe_names

TINY = """
objective = "autoencoder"
[trainer]
batch_size = 2
learning_rate = 1e-3
max_steps = 4
[autoencoder]
crop = 32
"""


def recipe(tmp_path, text):
    file = tmp_path / "mine.toml"
    file.write_text(text)
    return file


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_of_the_package_loads(name):
    objective = load_recipe(name).objective
    assert objective == "hifi" if name == "sdxl" else name.startswith(objective)


def test_values_and_defaults_reach_the_settings(tmp_path):
    loaded = load_recipe(recipe(tmp_path, TINY))
    assert (loaded.settings.crop, loaded.settings.losses.l1, loaded.trainer.batch_size) == (32, 1.0, 2)


def test_overrides_replace_values_of_nested_sections(tmp_path):
    overrides = ["trainer.max_steps=7", "autoencoder.losses.kl=0.5", "autoencoder.size=tiny"]
    loaded = load_recipe(recipe(tmp_path, TINY), overrides)
    assert (loaded.trainer.max_steps, loaded.settings.losses.kl, loaded.settings.size) == (7, 0.5, "tiny")


def test_the_bundled_model_goes_by_its_name(tmp_path, monkeypatch):
    (start,) = load_recipe("hifi-finetune").settings.init_from
    assert find_part([start], "hifi_net") == BUNDLED_MODEL / "hifi_net"
    assert load_tokenizer(start).get_vocab() == load_tokenizer(BUNDLED_MODEL).get_vocab()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bundled" / "hifi_net").mkdir(parents=True)
    (tmp_path / "bundled" / "hifi_net" / "config.json").write_text("{}")
    assert find_part([start], "hifi_net") == Path("bundled/hifi_net")  # one of the user's goes first


def test_frozen_and_joint_training_differ_by_the_list_of_trainable_parts():
    frozen, joint = load_recipe("hifi"), load_recipe("hifi-joint")
    assert set(joint.settings.trainable) - set(frozen.settings.trainable) == {
        "unet", "text_encoder", "text_encoder_2"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("crop = 32", "corp = 32"), r"mine.toml.*autoencoder\.corp"),
        (("crop = 32", 'crop = "32"'), r"mine.toml.*autoencoder\.crop must be int"),
        (("crop = 32", "crop = true"), r"autoencoder\.crop must be int"),
        (("crop = 32", "losses = 3"), r"autoencoder\.losses must be a section"),
        (("crop = 32", "[autoencoder.losses]\nl2 = 1"), r"autoencoder\.losses\.l2"),
        (("batch_size = 2", ""), r"trainer\.batch_size' is missing"),
        (("max_steps = 4", ""), r"trainer: .*max_steps and max_minutes"),
        (("max_steps = 4", "max_steps = 4\nseed = 40000000000000000000"), r"seed must be from 0 to 42949"),
        (("max_steps = 4", "max_steps = 4\nseed = -1"), r"trainer: .*seed must be from 0"),
        (("max_steps = 4", 'max_steps = 4\nprecision = "fp8"'), r"trainer\.precision must be one of"),
        (("max_steps = 4", "max_steps = 4\nbetas = [0.9]"), r"trainer\.betas must be a list"),
        (('"autoencoder"', '"autoencodr"'), r"'objective' must be one of"),
        (("[trainer]", "[training]"), r"unknown key 'training'"),
        (("[trainer]", "[trainer"), r"mine.toml is not TOML"),
    ],
)
def test_mistakes_name_file_and_key(tmp_path, change, message):
    with pytest.raises(RecipeError, match=message):
        load_recipe(recipe(tmp_path, TINY.replace(*change)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("crop = 32", "corp = 32"), r"did you mean 'crop'\?"),
        (
            ("batch_size = 2", "bach_size = 2"),
            r"unknown key 'trainer\.bach_size' \(did you mean 'batch_size'\?\)",
        ),
        (('"autoencoder"', '"autoencodr"'), r"did you mean 'autoencoder'\?"),
        (("crop = 32", "crop = 32.0"), r"autoencoder\.crop must be int, not 32\.0"),
        (
            ("max_steps = 4", "max_steps = 4\nbetas = [0.9, 'x']"),
            r"trainer\.betas\[1\] must be float, not 'x'",
        ),
        (("max_steps = 4", "max_steps = 4\nbetas = 0.9"), r"trainer\.betas must be a list like tuple"),
        (("max_steps = 4", "max_steps = 4\nbetas = [1, 2, 3]"), r"trainer\.betas must be a list like tuple"),
        (("max_steps = 4", "max_steps = 4\nshard = 1"), r"trainer\.shard must be bool, not 1"),
        (("crop = 32", "size = 3"), r"autoencoder\.size must be str, not 3"),
    ],
)
def test_mistakes_say_what_is_right(tmp_path, change, message):
    with pytest.raises(RecipeError, match=message):
        load_recipe(recipe(tmp_path, TINY.replace(*change)))


def test_whole_numbers_serve_where_fractions_are_meant_and_lists_become_tuples(tmp_path):
    text = TINY.replace("max_steps = 4", "max_minutes = 4\nbetas = [0, 1]\ntrackers = ['a']")
    trainer = load_recipe(recipe(tmp_path, text)).trainer
    assert (trainer.max_minutes, trainer.betas, trainer.trackers) == (4.0, (0.0, 1.0), ("a",))
    assert isinstance(trainer.max_minutes, float) and isinstance(trainer.betas[0], float)


@dataclass(frozen=True, kw_only=True)
class Part:
    """A section within a section."""

    weight: float = 0.5
    """Of the part,
    in two lines."""


@dataclass(frozen=True, kw_only=True)
class Described:
    """An objective's settings."""

    count: int = 2
    """How many."""
    part: Part = field(default_factory=Part)
    bare: tuple[str, ...] = ("a",)


def test_every_setting_is_described_by_the_docstring_of_its_field(tmp_path, monkeypatch):
    monkeypatch.setitem(OBJECTIVES, "described", (__name__, "Described", "nothing"))
    text = TINY.replace("autoencoder", "described").replace("crop = 32", "count = 3")
    described = {one.key: one for one in list_settings(load_recipe(recipe(tmp_path, text)))}
    assert described["described.count"] == Setting("described.count", "int", 3, "How many.")
    assert described["described.part.weight"].meaning.split() == ["Of", "the", "part,", "in", "two", "lines."]
    assert described["described.bare"] == Setting("described.bare", "tuple[str, ...]", ("a",), "")
    assert "described.part" not in described and described["trainer.max_steps"].value == 4


def test_missing_recipe_lists_those_of_the_package():
    with pytest.raises(RecipeError, match=r"autoencoder, .*hifi"):
        load_recipe("nowhere.toml")


def test_override_without_a_value_is_refused(tmp_path):
    with pytest.raises(RecipeError, match=r"section\.key=value"):
        load_recipe(recipe(tmp_path, TINY), ["trainer.max_steps"])
