import pytest
import torch
from diffusers.models.attention_processor import AttnProcessor2_0

from hifi_portrait.errors import ModelError
from hifi_portrait.models import FaceAttention, build
from hifi_portrait.models.face_attention import cross_attention_layers
from tiny_models import randomised, unet_inputs


@pytest.fixture
def unet():
    return build("tiny", ["unet"], seed=0)["unet"]


@pytest.fixture
def attention(unet):
    return randomised(FaceAttention.for_unet(unet))


def run(unet, batch=2):
    with torch.no_grad():
        return unet(**unet_inputs(batch)).sample


TOKENS = torch.randn(2, 4, 32, generator=torch.Generator().manual_seed(7))


def test_untrained_it_leaves_the_unet_bit_identical(unet):
    before = run(unet)
    fresh = FaceAttention.for_unet(unet)
    fresh.attach(unet)
    with fresh.bound(TOKENS):
        assert torch.equal(run(unet), before)


def test_trained_it_changes_the_unet(unet, attention):
    before = run(unet)
    with attention.attached(unet), attention.bound(TOKENS):
        assert (run(unet) - before).abs().max() > 1e-4


def test_at_scale_zero_the_unet_is_bit_identical(unet, attention):
    before = run(unet)
    with attention.attached(unet), attention.bound(TOKENS, scale=0.0):
        assert torch.equal(run(unet), before)


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_what_a_layer_reads_is_scaled(unet, attention, scale):
    _, layer = cross_attention_layers(unet)[0]
    query = torch.randn(2, 16, layer.to_q.out_features, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        with attention.bound(TOKENS):
            plain = attention.read(layer, query, 0)
        with attention.bound(TOKENS, scale=scale):
            scaled = attention.read(layer, query, 0)
    assert plain.abs().max() > 1e-3
    torch.testing.assert_close(scaled, scale * plain)


def test_unbound_it_changes_nothing(unet, attention):
    before = run(unet)
    attention.attach(unet)
    assert torch.equal(run(unet), before)


def test_detaching_gives_the_former_processors_back(unet, attention):
    custom = AttnProcessor2_0()
    layer = cross_attention_layers(unet)[0][1]
    layer.set_processor(custom)
    before = dict(unet.attn_processors)
    attention.attach(unet)
    attention.detach(unet)
    assert unet.attn_processors == before


def test_attaching_twice_wraps_once(unet, attention):
    attention.attach(unet)
    attention.attach(unet)
    attention.detach(unet)
    assert not any("Face" in type(p).__name__ for p in unet.attn_processors.values())


def test_the_former_processor_keeps_working(unet, attention):
    class Halved(AttnProcessor2_0):
        def __call__(self, *args, **kwargs):
            return super().__call__(*args, **kwargs) / 2

    for _, layer in cross_attention_layers(unet):
        layer.set_processor(Halved())
    before = run(unet)
    with attention.attached(unet), attention.bound(torch.zeros(2, 4, 32)):
        torch.testing.assert_close(run(unet), before)


def test_wrapping_another_processor_adds_the_same_attention(unet, attention):
    class Plain(AttnProcessor2_0):
        """Not the class that is known to be plain."""

    with attention.attached(unet), attention.bound(TOKENS, scale=0.7):
        known = run(unet)
    for _, layer in cross_attention_layers(unet):
        layer.set_processor(Plain())
    with attention.attached(unet), attention.bound(TOKENS, scale=0.7):
        torch.testing.assert_close(run(unet), known, atol=1e-5, rtol=1e-4)


def test_the_unconditional_half_reads_no_face(unet, attention):
    before = run(unet, batch=4)
    with attention.attached(unet), attention.bound(TOKENS):
        after = run(unet, batch=4)
    torch.testing.assert_close(after[:2], before[:2], atol=1e-6, rtol=0)
    assert (after[2:] - before[2:]).abs().max() > 1e-4


def test_tokens_can_count_for_several_pictures(unet, attention):
    with attention.attached(unet):
        with attention.bound(TOKENS[:1], copies=2):
            copied = run(unet)
        with attention.bound(TOKENS[:1].repeat(2, 1, 1)):
            torch.testing.assert_close(run(unet), copied)


def test_keys_and_values_are_computed_once(unet, attention):
    calls = []
    attention.to_k[0].register_forward_hook(lambda *_: calls.append(1))
    with attention.attached(unet), attention.bound(TOKENS):
        for _ in range(3):
            run(unet)
    assert len(calls) == 1


def test_another_number_of_samples_is_refused(unet, attention):
    with (
        attention.attached(unet),
        attention.bound(TOKENS),
        pytest.raises(ModelError, match="bound to 2 pictures, but the UNet runs on 3 samples"),
    ):
        run(unet, batch=3)


def test_a_unet_of_other_widths_is_refused(unet):
    with pytest.raises(ModelError, match="does not fit a UNet"):
        FaceAttention(token_dim=32, hidden_sizes=[16, 16]).attach(unet)


def test_its_weights_stay_out_of_the_unet(unet, attention):
    names = set(unet.state_dict())
    attention.attach(unet)
    assert set(unet.state_dict()) == names
