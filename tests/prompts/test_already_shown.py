import pytest

from hifi_portrait.prompts.already_shown import (
    has_other_words,
    select_all_shown_words,
    select_shown_words,
)


@pytest.mark.parametrize(
    ("prompt", "glasses", "shown"),
    [
        ("", None, ""),
        ("studio light", None, ""),
        ("a photo of a Woman with red hair", None, "a photo of a woman"),
        ("a man with round glasses", "own", "a photo of a man"),
        ("a man with thick round glasses", "round", "a photo of a man with round glasses"),
        ("curly, round glasses, red hair", "round", "a photo of a person with round glasses"),
        ("a womanly shape", None, ""),
    ],
)
def test_subject_and_worn_glasses_are_shown_already(prompt, glasses, shown):
    assert select_shown_words(prompt, glasses) == shown


@pytest.mark.parametrize(
    ("prompt", "hair", "shown"),
    [
        ("a man with long red hair", "red", "a photo of a man with red hair"),
        ("a man with red hair", None, "a photo of a man"),
        ("a man with red hair", "grey", "a photo of a man"),
        (
            "light blond hair and round glasses in snow",
            "light-blond",
            "a photo of a person with light blond hair and round glasses",
        ),
    ],
)
def test_hair_that_is_drawn_is_shown_already(prompt, hair, shown):
    assert select_shown_words(prompt, "round", hair) == shown


def test_clothes_that_are_drawn_are_shown_already():
    prompt = "a man with red hair, wearing a navy hoodie"
    assert select_shown_words(f"{prompt} at night", None, "red", "navy") == f"a photo of {prompt}"
    assert select_shown_words(prompt, None, None, "red") == "a photo of a man"
    assert select_shown_words("an old orange polo shirt", None, None, "orange").endswith(
        "wearing an orange polo shirt"
    )
    assert select_shown_words("new navy clothes", None, None, "navy").endswith(
        "a person, wearing navy clothes"
    )


@pytest.mark.parametrize(
    "prompt",
    [
        "a photo of a person",
        "A portrait of a woman with red hair and round glasses, wearing a navy shirt",
        "navy shirt, round  glasses, red hair",
        "a woman in navy, red hair",
    ],
)
def test_a_prompt_that_says_nothing_else_is_shown_as_it_is(prompt):
    assert select_shown_words(prompt, "round", "red", "navy") == prompt
    assert select_all_shown_words(["", prompt], "round", "red", "navy") is None
    assert select_all_shown_words(["", prompt], "round", "red", "navy", other_words=True) == ["", prompt]


@pytest.mark.parametrize("prompt", ["a man without a hat", "в саду", "花园里的女人", "a man 在花园里"])
def test_a_prompt_that_says_something_else_is_not(prompt):
    assert select_shown_words(prompt, "round", "red", "navy") != prompt
    assert select_all_shown_words([prompt], "round", "red", "navy") is not None


@pytest.mark.parametrize(
    "said", ["a woman in navy", "dressed in all navy", "a shirt in navy blue", "his shirt is navy"]
)
def test_clothes_that_are_named_otherwise_are_shown_as_clothes(said):
    assert select_shown_words(f"{said}, in snow", None, None, "navy").endswith(", wearing navy clothes")


@pytest.mark.parametrize(
    ("arguments", "guided", "others"),
    [
        ({"prompt": "a man", "prompt_2": None}, True, False),
        ({"prompt": "a man", "prompt_2": "oil paint"}, False, True),
        ({"prompt": "a man", "negative_prompt": "blurry"}, True, True),
        ({"prompt": "a man", "negative_prompt": "blurry"}, False, False),
        ({"prompt": "a man", "negative_prompt": ["", "blurry"]}, True, True),
        ({"prompt": "a man", "guidance_scale": 5.0}, True, False),
    ],
)
def test_other_words_are_a_second_prompt_or_a_negative_one_that_guidance_reads(arguments, guided, others):
    assert has_other_words(arguments, guided=guided) is others
