"""What diffusers' own tests check of every model of theirs, checked of HiFi-Net and the three face networks.

The list is that of their common model tests: saving and loading, training, memory, attention, LoRA. What of
it stands elsewhere:

- saved and loaded bit for bit, with its settings: `test_networks`
- gradients with checkpointing are those without: `../training/test_hifi`
- averaged weights: `../training/test_ema`
- `torch.compile`, whole and by repeated blocks: `../ecosystem/test_running`
- offload of whole models and of layers: `../ecosystem/test_instantid`

What does not apply: offload in groups and to disk, several devices and quantised weights need an accelerator;
single files of another layout are those of base models; hub folders and fixed slices are diffusers' own.
"""

import pytest
import torch
from diffusers.models.attention_processor import AttnProcessor
from peft import LoraConfig

from hifi_portrait.models import build
from hifi_portrait.models.face_encoder import FaceTokens
from tiny_models import randomised, sources, unet_inputs

PARTS = ("hifi_net", "face_encoder", "face_refiner", "face_attention")


@pytest.fixture
def parts():
    """Networks whose every weight counts."""
    built = build("tiny", PARTS, seed=0)
    return {name: randomised(part).eval() for name, part in built.items()}


def noise(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(5))


def run(part, name):
    """What a part makes of inputs that are always the same, as one tensor."""
    dtype = part.dtype
    crops, there = noise(2, 3, 3, 64, 64).to(dtype), torch.ones(2, 3, dtype=torch.bool)
    with torch.no_grad():
        if name == "hifi_net":
            known = part.prepare(**{key: value.to(dtype) for key, value in sources().items()})
            inputs = unet_inputs()
            down, middle = part(**inputs, controlnet_cond=known, return_dict=False)
            made = [*down, middle]
        elif name == "face_encoder":
            faces = part(crops, noise(2, 3, 128).to(dtype))
            made = [faces.patches, faces.identity]
        elif name == "face_refiner":
            faces = FaceTokens(noise(2, 3, 5, 16).to(dtype), noise(2, 3, 16).to(dtype))
            tokens, _, maps = part(crops, faces, noise(2, 3, 3).to(dtype), there, there.to(dtype))
            made = [tokens, maps.fine, maps.coarse]
        else:
            made = [each for pair in part(noise(2, 4, 32).to(dtype)) for each in pair]
    return torch.cat([each.float().flatten() for each in made])


@pytest.mark.parametrize("name", PARTS)
def test_files_of_a_variant_in_several_pieces(parts, name, tmp_path):
    part = parts[name]
    part.save_pretrained(tmp_path, variant="fp16", max_shard_size="4KB")
    assert len(list(tmp_path.glob("*.fp16-*.safetensors"))) > 1
    loaded = type(part).from_pretrained(tmp_path, variant="fp16")
    assert torch.equal(run(loaded, name), run(part, name))


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("words", ["dtype", "torch_dtype"])
def test_a_precision_is_chosen_on_loading(parts, name, words, tmp_path):
    parts[name].save_pretrained(tmp_path)
    loaded = type(parts[name]).from_pretrained(tmp_path, **{words: torch.float16})
    assert {parameter.dtype for parameter in loaded.parameters()} == {torch.float16}


@pytest.mark.parametrize("name", PARTS)
def test_weights_may_be_kept_in_eight_bits(parts, name):
    """And be computed with in more (diffusers' layerwise casting)."""
    part = parts[name]
    whole = run(part, name)
    part.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=torch.float32)
    kept = {parameter.dtype for parameter in part.parameters()}
    assert torch.float8_e4m3fn in kept
    rounded = run(part, name)
    assert rounded.isfinite().all()
    assert 0 < float((rounded - whole).norm() / whole.norm()) < 0.3
    assert {parameter.dtype for parameter in part.parameters()} == kept


@pytest.mark.parametrize("name", ["hifi_net", "face_encoder"])
def test_gradient_checkpointing_is_turned_on_and_off(parts, name):
    part = parts[name]
    assert not part.is_gradient_checkpointing
    part.enable_gradient_checkpointing()
    assert part.is_gradient_checkpointing
    part.disable_gradient_checkpointing()
    assert not part.is_gradient_checkpointing


def test_attention_processors_of_hifi_net_are_exchanged(parts):
    net = parts["hifi_net"]
    plain = run(net, "hifi_net")
    net.set_attn_processor({name: AttnProcessor() for name in net.attn_processors})
    assert {type(each) for each in net.attn_processors.values()} == {AttnProcessor}
    torch.testing.assert_close(run(net, "hifi_net"), plain, atol=1e-5, rtol=1e-4)
    with pytest.raises(ValueError, match="does not match the number of attention layers"):
        net.set_attn_processor({"one": AttnProcessor()})


def test_projections_of_hifi_nets_attention_are_fused_and_parted_again(parts):
    net = parts["hifi_net"]
    plain = run(net, "hifi_net")
    net.fuse_qkv_projections()
    torch.testing.assert_close(run(net, "hifi_net"), plain, atol=1e-4, rtol=1e-3)
    net.unfuse_qkv_projections()
    torch.testing.assert_close(run(net, "hifi_net"), plain, atol=1e-6, rtol=1e-6)


def test_a_lora_of_hifi_net_is_saved_loaded_and_taken_off(parts, tmp_path):
    net = parts["hifi_net"]
    plain = run(net, "hifi_net")
    layers = ["to_q", "to_k", "to_v", "to_out.0"]
    net.add_adapter(LoraConfig(r=2, lora_alpha=2, target_modules=layers, init_lora_weights=False))
    changed = run(net, "hifi_net")
    assert not torch.allclose(changed, plain, atol=1e-4)
    net.save_lora_adapter(tmp_path)
    net.unload_lora()
    torch.testing.assert_close(run(net, "hifi_net"), plain, atol=1e-6, rtol=1e-6)
    net.load_lora_adapter(tmp_path, prefix=None, use_safetensors=True)
    torch.testing.assert_close(run(net, "hifi_net"), changed, atol=1e-6, rtol=1e-6)
