"""Guidance split between faces and text, over a real UNet."""

import pytest
import torch

from hifi_portrait.models import FaceAttention, build
from hifi_portrait.models.guidance import split_guidance
from tiny_models import randomised, unet_inputs

PICTURES = 2


@pytest.fixture(scope="module")
def unet():
    return build("tiny", ["unet"], seed=0)["unet"].requires_grad_(False)


def halves(first, second):
    return torch.cat([first, second])


@pytest.mark.parametrize("unconditional", [False, True], ids=["nobody", "somebody"])
@pytest.mark.parametrize("ratio", [0.0, 0.4, 1.0, 3.0])
def test_faces_and_text_have_a_scale_each(unet, ratio, unconditional):
    """Against the three halves, run by themselves."""
    attention = randomised(FaceAttention.for_unet(unet)).requires_grad_(False)
    given = unet_inputs(2 * PICTURES)
    given["sample"] = halves(given["sample"][:PICTURES], given["sample"][:PICTURES])
    noise = torch.Generator().manual_seed(1)
    middle = torch.randn(2 * PICTURES, 24, 2, 2, generator=noise)
    middle[:PICTURES] = 0
    given["mid_block_additional_residual"] = middle
    given["down_block_additional_residuals"] = [
        torch.zeros(2 * PICTURES, width, side, side)
        for width, side in ((8, 8), (8, 8), (8, 4), (16, 4), (16, 2), (24, 2))
    ]
    tokens, nobody = torch.randn(2, PICTURES, 4, 32, generator=noise)
    text, added = given["encoder_hidden_states"], given["added_cond_kwargs"]
    without = given | {
        "encoder_hidden_states": halves(text[:PICTURES], text[:PICTURES]),
        "added_cond_kwargs": {name: halves(v[:PICTURES], v[:PICTURES]) for name, v in added.items()},
    }

    def run(arguments):
        sample, timestep = arguments["sample"], arguments["timestep"]
        others = {name: value for name, value in arguments.items() if name not in ("sample", "timestep")}
        return unet(sample, timestep, **others).sample

    with attention.attached(unet), attention.bound(tokens, 1.0, 1, nobody if unconditional else None):
        of_none, of_both = run(given).chunk(2)
        of_faces = run(without).chunk(2)[1]
        with split_guidance(unet, PICTURES, ratio):
            first, second = run(given).chunk(2)
        assert torch.equal(run(given), halves(of_none, of_both))  # nothing is left behind
    scale = 5.0
    guided = first + scale * (second - first)
    expected = of_none + ratio * scale * (of_faces - of_none) + scale * (of_both - of_faces)
    torch.testing.assert_close(guided, expected, atol=1e-4, rtol=1e-4)
    assert (of_faces - of_none).abs().mean() > 1e-3 and (of_both - of_faces).abs().mean() > 1e-3


def test_a_call_for_one_half_is_left_as_it_is(unet):
    given = unet_inputs(PICTURES)
    sample, timestep = given.pop("sample"), given.pop("timestep")
    before = unet(sample, timestep, **given).sample
    with split_guidance(unet, PICTURES, 0.5):
        assert torch.equal(unet(sample, timestep, **given).sample, before)
