import pytest
import torch

from hifi_portrait.errors import ModelError
from hifi_portrait.models import FaceEncoder, FaceRefiner, HiFiCondition, HiFiNet, build, size_config, sizes
from hifi_portrait.models.build import PARTS
from tiny_models import randomised, sources, unet_inputs


@pytest.fixture(scope="module")
def parts():
    return build("tiny", seed=0)


def test_every_size_names_every_part():
    assert {"bundled", "sdxl", "tiny"} <= set(sizes())
    for name in sizes():
        assert set(PARTS) <= set(size_config(name))


def test_every_size_can_be_built():
    with torch.device("meta"):
        for name in sizes():
            built = build(name, [part for part in PARTS if part != "face_encoder"])
            assert built["unet"].config.cross_attention_dim == built["hifi_net"].config.cross_attention_dim


def test_the_same_seed_builds_the_same_weights():
    first, second = (build("tiny", ["hifi_net"], seed=5)["hifi_net"].state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_building_leaves_the_global_generator_alone():
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    build("tiny", ["face_refiner"], seed=5)
    assert torch.equal(torch.rand(1), expected)


def test_an_unknown_size_is_refused():
    with pytest.raises(ModelError, match="no model size 'huge'"):
        build("huge")


def test_an_unknown_part_is_refused():
    with pytest.raises(ModelError, match="no model part 'nose'"):
        build("tiny", ["nose"])


@pytest.mark.parametrize("part", ["hifi_net", "face_encoder", "face_refiner", "face_attention"])
def test_a_saved_part_comes_back_bit_identical(parts, part, tmp_path):
    parts[part].save_pretrained(tmp_path)
    loaded = type(parts[part]).from_pretrained(tmp_path)
    before, after = parts[part].state_dict(), loaded.state_dict()
    assert list(before) == list(after)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert dict(loaded.config).items() >= {k: v for k, v in parts[part].config.items() if k[0] != "_"}.items()


def test_untrained_residuals_are_exactly_zero(parts):
    net = parts["hifi_net"]
    down, middle = net(**unet_inputs(), controlnet_cond=net.prepare(**sources()), return_dict=False)
    assert all(residual.abs().max() == 0 for residual in [*down, middle])


def test_an_untrained_network_leaves_the_unet_bit_identical(parts):
    net, unet = parts["hifi_net"], parts["unet"]
    inputs = unet_inputs()
    with torch.no_grad():
        plain = unet(**inputs).sample
        down, middle = net(**inputs, controlnet_cond=net.prepare(**sources()), return_dict=False)
        steered = unet(
            **inputs, down_block_additional_residuals=tuple(down), mid_block_additional_residual=middle
        ).sample
    assert torch.equal(plain, steered)


def test_guess_mode_does_not_rescale_residuals():
    net = randomised(build("tiny", ["hifi_net"], seed=0)["hifi_net"])
    condition = net.prepare(**sources())
    plain = net(**unet_inputs(), controlnet_cond=condition, return_dict=False)
    guess = net(**unet_inputs(), controlnet_cond=condition, guess_mode=True, return_dict=False)
    assert all(torch.equal(a, b) for a, b in zip([*plain[0], plain[1]], [*guess[0], guess[1]], strict=False))


def test_a_bound_condition_equals_one_passed_directly():
    net = randomised(build("tiny", ["hifi_net"], seed=0)["hifi_net"])
    condition = net.prepare(**sources())
    direct = net(**unet_inputs(), controlnet_cond=condition).mid_block_res_sample
    with net.bound(condition):
        bound = net(**unet_inputs(), controlnet_cond=torch.zeros(2, 3, 64, 64)).mid_block_res_sample
    assert torch.equal(direct, bound)


def test_without_a_condition_the_network_says_so(parts):
    with pytest.raises(ModelError, match="HiFi-Net has no condition"):
        parts["hifi_net"](**unet_inputs(), controlnet_cond=torch.zeros(2, 3, 64, 64))


@pytest.mark.parametrize("source", ["landmark", "warp_latents", "fine", "coarse", "tokens"])
def test_every_source_reaches_the_residuals(source):
    net = randomised(build("tiny", ["hifi_net"], seed=0)["hifi_net"])
    given = sources()
    before = net(**unet_inputs(), controlnet_cond=net.prepare(**given)).mid_block_res_sample
    given[source] = given[source] + 1
    after = net(**unet_inputs(), controlnet_cond=net.prepare(**given)).mid_block_res_sample
    assert (before - after).abs().max() > 1e-6


@pytest.mark.parametrize(
    ("switch", "unused"),
    [
        ("warp_latents", ["warp_latents", "warp_coverage"]),
        ("surface_alignment", ["fine", "fine_coverage", "coarse", "coarse_coverage"]),
        ("face_tokens", ["tokens"]),
    ],
)
def test_a_source_that_is_switched_off_is_not_asked_for(switch, unused):
    net = build("tiny", ["hifi_net"], overrides={"hifi_net": {switch: False}})["hifi_net"]
    given = {name: value for name, value in sources().items() if name not in unused}
    assert net(**unet_inputs(), controlnet_cond=net.prepare(**given)).mid_block_res_sample.isfinite().all()


def test_the_landmark_can_be_switched_off():
    net = randomised(build("tiny", ["hifi_net"], overrides={"hifi_net": {"landmark": False}})["hifi_net"])
    given = sources()
    before = net.prepare(**given).latent_map
    given["landmark"] = given["landmark"] + 1
    assert torch.equal(before, net.prepare(**given).latent_map)


def test_a_missing_source_is_named(parts):
    given = sources()
    del given["fine"]
    with pytest.raises(ValueError, match="`fine` and its coverage are missing"):
        parts["hifi_net"].prepare(**given)


def test_a_condition_expands_sample_by_sample():
    condition = HiFiCondition(torch.tensor([1.0, 2.0]).view(2, 1, 1, 1), None, torch.zeros(2, 3, 4))
    assert condition.expand(4).latent_map.flatten().tolist() == [1, 1, 2, 2]


def test_the_base_encoder_can_be_copied(parts):
    net = build("tiny", ["hifi_net"], seed=9)["hifi_net"]
    net.copy_unet(parts["unet"])
    own, base = net.state_dict(), parts["unet"].state_dict()
    assert torch.equal(own["mid_block.resnets.0.conv1.weight"], base["mid_block.resnets.0.conv1.weight"])
    assert torch.equal(own["conv_in.weight"], base["conv_in.weight"])


def test_a_shallower_hifi_net_starts_from_the_first_layers_of_the_unet():
    layers = {
        "unet": {"transformer_layers_per_block": [1, 2, 3]},
        "hifi_net": {"transformer_layers_per_block": [1, 1, 2]},
    }
    parts = build("tiny", ["unet", "hifi_net"], overrides=layers, seed=0)
    net, unet = parts["hifi_net"], parts["unet"]
    net.copy_unet(unet)
    own, base = net.state_dict(), unet.state_dict()
    copied = {name for name, value in own.items() if name in base and torch.equal(value, base[name])}
    for block in ("down_blocks.2", "mid_block"):
        layers_of = f"{block}.attentions.0.transformer_blocks"
        assert {f"{layers_of}.{layer}.attn1.to_q.weight" for layer in (0, 1)} <= copied
        assert f"{layers_of}.2.attn1.to_q.weight" in base.keys() - own.keys()


def faces(batch=1, references=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return (
        torch.rand(batch, references, 3, 64, 64, generator=generator) * 2 - 1,
        torch.randn(batch, references, 128, generator=generator) / 128**0.5,
        torch.randn(batch, references, 3, generator=generator) * 10,
    )


@pytest.mark.parametrize("references", [1, 8])
def test_the_number_of_tokens_does_not_grow_with_references(parts, references):
    crops, embeddings, poses = faces(references=references)
    encoded = parts["face_encoder"](crops, embeddings)
    tokens = parts["face_refiner"].tokens(encoded, poses, torch.ones(1, references, dtype=torch.bool))
    assert tokens.shape == (1, 4, 32)


def test_the_order_of_references_does_not_matter(parts):
    crops, embeddings, poses = faces()
    mask = torch.ones(1, 3, dtype=torch.bool)
    order = [2, 0, 1]
    tokens = parts["face_refiner"].tokens(parts["face_encoder"](crops, embeddings), poses, mask)
    shuffled = parts["face_refiner"].tokens(
        parts["face_encoder"](crops[:, order], embeddings[:, order]), poses[:, order], mask
    )
    torch.testing.assert_close(tokens, shuffled)


def test_a_sample_without_references_has_zero_tokens(parts):
    crops, embeddings, poses = faces()
    encoded = parts["face_encoder"](crops, embeddings)
    tokens = parts["face_refiner"].tokens(encoded, poses, torch.zeros(1, 3, dtype=torch.bool))
    assert torch.equal(tokens, torch.zeros_like(tokens))


def test_feature_maps_have_a_quarter_and_a_sixteenth_of_the_side(parts):
    maps = parts["face_refiner"].maps(faces()[0])
    assert maps.fine.shape == (1, 3, 4, 16, 16) and maps.fine_confidence.shape == (1, 3, 1, 16, 16)
    assert maps.coarse.shape == (1, 3, 8, 4, 4) and maps.coarse_confidence.shape == (1, 3, 1, 4, 4)


def test_an_embedding_of_another_recogniser_is_refused(parts):
    crops, embeddings, _ = faces()
    with pytest.raises(ValueError, match="`embeddings` must have length 128"):
        parts["face_encoder"](crops, embeddings[..., :64])


def test_untrained_guidance_leaves_a_copied_encoder_as_it_is():
    """Its states are the base's then, whatever the warp and the references show."""
    parts = build("tiny", ["unet", "hifi_net"], seed=0)
    parts["hifi_net"].copy_unet(parts["unet"])
    conditions = [parts["hifi_net"].prepare(**given) for given in (sources(), _empty(sources()))]
    assert all(torch.equal(each.latent_map, conditions[0].latent_map) for each in conditions)
    assert conditions[0].lower_map.abs().max() == 0


def _empty(given):
    return {name: value if name == "tokens" else torch.zeros_like(value) for name, value in given.items()}


def test_a_published_clip_tower_can_be_used(parts, tmp_path):
    parts["face_encoder"].tower.save_pretrained(tmp_path)
    encoder = FaceEncoder.from_clip(tmp_path, recogniser_dim=512, output_dim=24)
    crops, _, _ = faces()
    encoded = encoder(crops, torch.zeros(1, 3, 512))
    assert encoded.patches.shape == (1, 3, 5, 24) and encoded.identity.shape == (1, 3, 24)
    theirs, ours = parts["face_encoder"].tower.state_dict(), encoder.tower.state_dict()
    assert all(torch.equal(theirs[name], ours[name]) for name in theirs)


def test_a_missing_clip_checkpoint_is_named(tmp_path):
    with pytest.raises(ModelError, match="no CLIP vision tower could be read"):
        FaceEncoder.from_clip(tmp_path)


def test_every_parameter_of_the_face_networks_learns(parts):
    encoder, refiner = parts["face_encoder"], parts["face_refiner"]
    crops, embeddings, poses = faces()
    tokens, _, maps = refiner(crops, encoder(crops, embeddings), poses, torch.ones(1, 3, dtype=torch.bool))
    loss = tokens.square().sum() + sum(value.square().sum() for value in vars(maps).values())
    loss.backward()
    unused = [
        name
        for module in (encoder, refiner)
        for name, parameter in module.named_parameters()
        if parameter.grad is None and "post_layernorm" not in name
    ]
    encoder.zero_grad(), refiner.zero_grad()
    assert unused == []


def test_models_are_exported_at_the_top():
    import hifi_portrait

    assert hifi_portrait.HiFiNet is HiFiNet and hifi_portrait.FaceRefiner is FaceRefiner
