"""InstantID's published weights: what is drawn with them, several references, other files refused."""

from dataclasses import replace

import accelerate
import numpy as np
import pytest
import torch
from accelerate.hooks import ModelHook, add_hook_to_module
from diffusers import ControlNetModel
from safetensors.torch import load_file, save_file

import instantid_published as published
from hifi_portrait.errors import ModelError
from hifi_portrait.landmarks import LandmarkGenerator
from hifi_portrait.models import instantid as conversion
from hifi_portrait.models import load_instantid, size_config
from hifi_portrait.models.conditioning import face_inputs
from hifi_portrait.models.keypoints import draw_keypoints
from hifi_portrait.pipeline import HiFiPortraitPipeline
from hifi_portrait.training.data.tokenizer import train_tokenizer
from tiny_pipelines import TARGET, a_pipeline, an_identity, draw, draw_plain

SCALES = {"hifi_scale": published.CONTROL_SCALE, "face_scale": published.ADAPTER_SCALE}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("instantid")
    published.write_published(folder)
    return folder


@pytest.fixture(scope="module")
def parts(files):
    return load_instantid(files / "ControlNetModel", files / "ip-adapter.bin")


@pytest.fixture
def pipe(parts):
    tokenizer = train_tokenizer([], 514)
    both = {"tokenizer": tokenizer, "tokenizer_2": tokenizer}
    pipe = HiFiPortraitPipeline(**published.base_parts(), **both, **parts, scheduler=published.scheduler())
    pipe.set_progress_bar_config(disable=True)
    return pipe


def somebody(*embeddings, quality=None):
    """The painted person, with embeddings as an ArcFace recogniser gives them."""
    person = an_identity(len(embeddings))
    quality = np.ones(len(embeddings), np.float32) if quality is None else np.float32(quality)
    return replace(person, embeddings=np.stack(embeddings).astype(np.float32), quality=quality)


def the_person():
    return somebody(published.inputs()["embedding"][0].numpy())


def test_every_step_is_what_instantid_computes(pipe):
    recorded = load_file(published.RECORDED)
    given = published.inputs()
    latents = []

    def after_step(_pipe, _step, _timestep, tensors):
        latents.append(tensors["latents"].clone())
        return tensors

    pipe(
        the_person(),
        TARGET,
        num_inference_steps=published.STEPS,
        guidance_scale=published.GUIDANCE,
        callback_on_step_end=after_step,
        output_type="latent",
        **SCALES,
        **{name: value.clone() for name, value in given.items() if name != "embedding"},
    )
    assert len(latents) == published.STEPS
    for step, found in enumerate(latents):
        torch.testing.assert_close(found, recorded[f"latents_{step}"], atol=1e-4, rtol=0)
    changed = recorded["latents_2"] - published.inputs()["latents"]
    assert changed.abs().mean() > 0.5  # so that 1e-4 is little


def test_tokens_and_control_image_are_instantids(pipe):
    recorded = load_file(published.RECORDED)
    person = the_person()
    inputs = face_inputs(person, LandmarkGenerator.load()(person.identity, TARGET, published.SIZE))
    assert torch.equal(draw_keypoints(inputs.keypoints, (published.SIZE,) * 2), recorded["control"])
    condition = pipe.condition(inputs)
    both = torch.cat([condition.unconditional_tokens, condition.tokens])
    torch.testing.assert_close(both, recorded["tokens"], atol=1e-5, rtol=0)


def test_the_recording_is_of_the_equations_as_they_stand():
    """To the bound of the parity above: kinds of CPU round float32 otherwise, by 6e-5 after the last step."""
    recorded = load_file(published.RECORDED)
    for name, value in published.record().items():
        torch.testing.assert_close(value, recorded[name], atol=1e-4, rtol=0)


@pytest.mark.parametrize(("width", "height"), [(1024, 1024), (1152, 1280)])
def test_keypoints_are_drawn_as_instantid_draws_them(width, height):
    rng = np.random.default_rng(0)
    for _ in range(5):
        shares = rng.uniform(0.2, 0.8, (5, 2)).astype(np.float32)
        found = draw_keypoints(torch.from_numpy(shares)[None], (height, width))[0]
        wanted = published.draw_kps(shares * np.float32([width, height]), width, height)
        assert np.array_equal((found.permute(1, 2, 0) * 255).round().numpy(), wanted)


def test_the_controlnet_is_diffusers_own(parts, files):
    """Residuals of HiFi-Net with converted weights equal those of the ControlNet itself."""
    controlnet = ControlNetModel.from_pretrained(files / "ControlNetModel")
    control, tokens = torch.rand(2, 3, 64, 64), torch.randn(2, 16, 32)
    given = {
        "sample": torch.randn(2, 4, 8, 8),
        "timestep": torch.tensor(7),
        "added_cond_kwargs": {"text_embeds": torch.randn(2, 16), "time_ids": torch.ones(2, 6)},
        "return_dict": False,
    }
    condition = parts["hifi_net"].prepare(control, tokens=tokens)
    with torch.no_grad():
        down, middle = parts["hifi_net"](encoder_hidden_states=tokens, controlnet_cond=condition, **given)
        wanted, wanted_middle = controlnet(encoder_hidden_states=tokens, controlnet_cond=control, **given)
    assert len(down) == len(wanted)
    for ours, theirs in zip([*down, middle], [*wanted, wanted_middle], strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


def test_several_references_are_fused_by_quality(pipe):
    first, second = published.by_formula(11, 24, scale=20), published.by_formula(12, 24, scale=20)

    def tokens(person):
        return pipe.condition(
            face_inputs(person, LandmarkGenerator.load()(person.identity, TARGET, 64))
        ).tokens

    alone = [tokens(somebody(embedding.numpy())) for embedding in (first, second)]
    both = tokens(somebody(first.numpy(), second.numpy(), quality=[0.95, 0.2]))
    torch.testing.assert_close(both, 0.8 * alone[0] + 0.2 * alone[1], atol=1e-5, rtol=0)
    twice = tokens(somebody(first.numpy(), first.numpy()))
    torch.testing.assert_close(twice, alone[0], atol=1e-5, rtol=0)


def test_guided_batches_read_nobody_in_the_unconditional_half(pipe):
    """Two pictures at once are those drawn one by one: no half reads the other's face."""
    words = {"prompt": "a man", "guidance_scale": 4.0, **SCALES}
    generators = [torch.Generator().manual_seed(seed) for seed in (0, 1)]
    together = pipe(
        the_person(), TARGET, generator=generators, num_images_per_prompt=2, num_inference_steps=2,
        output_type="np", **words,
    ).images  # fmt: skip
    for seed, picture in enumerate(together):
        alone = draw(pipe, the_person(), seed=seed, num_inference_steps=2, **words)[0]
        np.testing.assert_allclose(picture, alone, atol=5e-5)  # batches round: 1.1e-5 on AVX2


def test_at_scales_of_nought_it_is_plain_sdxl(pipe):
    drawn = draw(pipe, the_person(), hifi_scale=0.0, face_scale=0.0, guidance_scale=2.0)
    assert np.array_equal(drawn, draw_plain(pipe))


def test_the_raw_embedding_counts_not_its_direction(pipe):
    embedding = published.inputs()["embedding"][0].numpy()
    drawn = [draw(pipe, somebody(scale * embedding), **SCALES) for scale in (1.0, 0.05)]
    assert np.abs(drawn[0] - drawn[1]).max() > 1e-3


def test_converted_weights_are_saved_and_loaded_unchanged(pipe, tmp_path):
    person = the_person()
    pipe.save_pretrained(tmp_path / "model")
    again = HiFiPortraitPipeline.from_pretrained(tmp_path / "model")
    again.set_progress_bar_config(disable=True)
    assert np.array_equal(draw(again, person), draw(pipe, person))


def test_safetensors_adapters_are_read_alike(files, parts, tmp_path):
    groups = torch.load(files / "ip-adapter.bin", weights_only=True)
    flat = {f"{group}.{name}": value for group, own in groups.items() for name, value in own.items()}
    save_file(flat, tmp_path / "ip-adapter.safetensors")
    again = load_instantid(files / "ControlNetModel", tmp_path / "ip-adapter.safetensors")
    for name in ("face_refiner", "face_attention"):
        for key, value in parts[name].state_dict().items():
            assert torch.equal(again[name].state_dict()[key], value)


def test_the_published_layout_fits_at_its_real_size():
    """Names and shapes of the published files, on the meta device."""
    sizes = size_config("sdxl")["face_attention"]["hidden_sizes"]
    with torch.device("meta"):
        ip_adapter = {
            f"{2 * layer + 1}.{part}.weight": torch.empty(size, 2048)
            for layer, size in enumerate(sizes)
            for part in ("to_k_ip", "to_v_ip")
        }
        image_proj = {
            "latents": torch.empty(1, 16, 1280),
            "proj_in.weight": torch.empty(1280, 512),
            "proj_in.bias": torch.empty(1280),
            "proj_out.weight": torch.empty(2048, 1280),
            "proj_out.bias": torch.empty(2048),
            "norm_out.weight": torch.empty(2048),
            "norm_out.bias": torch.empty(2048),
        }
        for layer in range(4):
            for norm in ("0.norm1", "0.norm2", "1.0"):
                for part in ("weight", "bias"):
                    image_proj[f"layers.{layer}.{norm}.{part}"] = torch.empty(1280)
            image_proj[f"layers.{layer}.0.to_q.weight"] = torch.empty(20 * 64, 1280)
            image_proj[f"layers.{layer}.0.to_kv.weight"] = torch.empty(2 * 20 * 64, 1280)
            image_proj[f"layers.{layer}.0.to_out.weight"] = torch.empty(1280, 20 * 64)
            image_proj[f"layers.{layer}.1.1.weight"] = torch.empty(5120, 1280)
            image_proj[f"layers.{layer}.1.3.weight"] = torch.empty(1280, 5120)
        attention = conversion._face_attention(ip_adapter)
        refiner = conversion._face_refiner(image_proj)
    assert max(int(name.partition(".")[0]) for name in ip_adapter) == 139
    assert list(attention.config.hidden_sizes) == sizes
    assert (refiner.config.num_heads, refiner.config.num_tokens) == (20, 16)
    assert (refiner.config.num_layers, refiner.config.token_dim) == (4, 2048)
    assert sum(p.numel() for p in refiner.parameters()) == sum(t.numel() for t in image_proj.values())


def test_other_files_are_refused_by_what_they_are(files, parts, tmp_path):
    controlnet, adapter = files / "ControlNetModel", files / "ip-adapter.bin"
    with pytest.raises(ModelError, match="there is no adapter"):
        load_instantid(controlnet, tmp_path / "ip-adapter.bin")
    with pytest.raises(ModelError, match=r"has no config\.json"):
        load_instantid(tmp_path, adapter)
    plain = tmp_path / "ip-adapter-faceid.bin"
    torch.save({"image_proj": {"proj.0.weight": torch.zeros(4, 4)}, "ip_adapter": {}}, plain)
    with pytest.raises(ModelError, match="no adapter of InstantID's layout"):
        load_instantid(controlnet, plain)
    (tmp_path / "text.bin").write_text("no tensors at all")
    with pytest.raises(ModelError, match="damaged, or no file of tensors alone") as refusal:
        load_instantid(controlnet, tmp_path / "text.bin")
    assert "weights_only" not in str(refusal.value)
    published_tensors = torch.load(adapter, weights_only=True)
    flat = published_tensors["image_proj"] | {"latents": torch.zeros(16, 128)}
    for number, other in enumerate(
        (
            [torch.zeros(3)],
            {1: torch.zeros(3)},
            {"image_proj": {"latents": 3}, "ip_adapter": {}},
            published_tensors | {"ip_adapter": {"first.to_k_ip.weight": torch.zeros(8, 32)}},
            published_tensors | {"image_proj": flat},
        )
    ):
        torch.save(other, tmp_path / f"other-{number}.bin")
        with pytest.raises(ModelError, match="no adapter of InstantID's layout"):
            load_instantid(controlnet, tmp_path / f"other-{number}.bin")
    damaged = tmp_path / "damaged.bin"
    damaged.write_bytes(adapter.read_bytes()[:4000])
    with pytest.raises(ModelError, match="damaged"):
        load_instantid(controlnet, damaged)


def test_code_in_a_pickle_is_not_run(files, tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "written"), "w"))

    torch.save({"image_proj": Evil()}, tmp_path / "evil.bin")
    with pytest.raises(ModelError, match="no file of tensors alone"):
        load_instantid(files / "ControlNetModel", tmp_path / "evil.bin")
    assert not (tmp_path / "written").exists()


def test_embeddings_of_another_recogniser_are_refused(pipe):
    with pytest.raises(ValueError, match="made with another recogniser"):
        draw(pipe, an_identity(1))


def test_hifi_weights_of_the_projects_own_still_leave_the_unconditional_half_alone():
    """Only designs that say so give the unconditional half faces to read."""
    pipe, person = a_pipeline(), an_identity()
    inputs = face_inputs(person, LandmarkGenerator.load()(person.identity, TARGET, 64))
    assert pipe.condition(inputs).unconditional_tokens is None


def test_offloaded_networks_are_found(pipe):
    """With weights that are brought in for each forward alone, as sequential offload does, on a CPU."""
    wanted = draw(pipe, the_person(), **SCALES)
    for name in ("hifi_net", "face_encoder", "face_refiner", "face_attention", "unet", "vae"):
        accelerate.cpu_offload(getattr(pipe, name), torch.device("cpu"))
    np.testing.assert_allclose(draw(pipe, the_person(), **SCALES), wanted, atol=1e-5)


def test_hooks_of_model_offload_see_hifi_net_being_prepared(pipe):
    """`enable_model_cpu_offload` brings a network in by such a hook, before its first use in a call."""
    seen = []

    class Hook(ModelHook):
        def pre_forward(self, module, *args, **kwargs):
            seen.append(type(module).__name__)
            return args, kwargs

    add_hook_to_module(pipe.hifi_net, Hook())
    person = the_person()
    pipe.condition(face_inputs(person, LandmarkGenerator.load()(person.identity, TARGET, 64)))
    assert seen == ["HiFiNet"]
