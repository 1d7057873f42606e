import pytest

from hifi_portrait.errors import RecipeError
from hifi_portrait.training.recipes.reading import load_recipe, recipe_names

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
    assert load_recipe(name).objective == ("hifi" if name == "sdxl" else name.partition("-")[0])


def test_values_and_defaults_reach_the_settings(tmp_path):
    loaded = load_recipe(recipe(tmp_path, TINY))
    assert (loaded.settings.crop, loaded.settings.losses.l1, loaded.trainer.batch_size) == (32, 1.0, 2)


def test_overrides_replace_values_of_nested_sections(tmp_path):
    overrides = ["trainer.max_steps=7", "autoencoder.losses.kl=0.5", "autoencoder.size=tiny"]
    loaded = load_recipe(recipe(tmp_path, TINY), overrides)
    assert (loaded.trainer.max_steps, loaded.settings.losses.kl, loaded.settings.size) == (7, 0.5, "tiny")


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


def test_missing_recipe_lists_those_of_the_package():
    with pytest.raises(RecipeError, match=r"autoencoder, .*hifi"):
        load_recipe("nowhere.toml")


def test_override_without_a_value_is_refused(tmp_path):
    with pytest.raises(RecipeError, match=r"section\.key=value"):
        load_recipe(recipe(tmp_path, TINY), ["trainer.max_steps"])
