"""Drawing in few steps, learnt from a teacher of many."""

import copy

import pytest
import torch
from diffusers import DDIMScheduler

from hifi_objectives import batch_of, hifi
from hifi_portrait.errors import ModelError
from hifi_portrait.training.objectives.diffusion import draw_in_few_steps, velocity_to
from hifi_portrait.training.objectives.hifi.teacher import Teacher
from tiny_models import randomised

NOBODY = torch.zeros(2, dtype=torch.bool)


@pytest.fixture(scope="module")
def learnt_folder(prepared, base_folder, tmp_path_factory):
    """Face parts that change what the tiny base draws, beside it."""
    folder = tmp_path_factory.mktemp("learnt")
    objective = hifi(prepared, base_folder)
    for name in objective.trainable:
        randomised(objective.part(name)).save_pretrained(folder / name)
    for name in ("unet", "text_encoder", "text_encoder_2"):
        randomised(objective.part(name)).save_pretrained(folder / name)
    return folder


@pytest.fixture
def taught(prepared, learnt_folder):
    return hifi(
        prepared, learnt_folder, teacher_steps=8, student_steps=2, trainable=("hifi_net", "face_attention")
    )


def conditioned(objective, batch):
    with torch.no_grad():
        condition = objective._known(batch).condition
        return objective._text(batch, condition), condition


def test_steps_are_those_of_a_trailing_schedule(taught):
    scheduler = DDIMScheduler.from_config(taught.scheduler.config, timestep_spacing="trailing")
    scheduler.set_timesteps(8)
    numbers = torch.arange(8, 0, -1)
    assert torch.equal(taught.teacher.timesteps(numbers), scheduler.timesteps)
    every = torch.arange(1000)
    snapped = taught.teacher.timesteps(taught.teacher.numbers(every))
    assert bool((snapped >= every).all()) and bool((snapped - every < 125).all())
    assert torch.equal(taught.teacher.numbers(scheduler.timesteps), numbers)


@pytest.mark.parametrize("timestep", [999, 624, 249, 124])
def test_one_step_is_to_lead_as_far_as_the_teacher_comes(taught, timestep):
    """From there on it takes four of its eight steps, with guidance, or as many as are left."""
    batch = batch_of(taught)
    text, condition = conditioned(taught, batch)
    noise, rows = torch.randn_like(batch["latents"]), torch.full((2,), timestep)
    noisy = taught.scheduler.add_noise(batch["latents"], noise, rows)
    scheduler = DDIMScheduler.from_config(taught.scheduler.config, timestep_spacing="trailing")
    scheduler.set_timesteps(8)
    arrived = noisy
    for place in range(timestep, max(timestep - 500, 0), -125):
        with torch.no_grad():
            told, plain = (
                taught.denoiser(arrived, torch.full((2,), place), text, condition, nobody)
                for nobody in (NOBODY, ~NOBODY)
            )
        guided = plain + taught.config.teacher_guidance * (told - plain)
        assert (guided - told).abs().mean() > 1e-3
        arrived = scheduler.step(guided, place, arrived).prev_sample
    randomise_a_little(taught)  # the teacher stays as it was
    clean = taught.teacher.clean(noisy, rows, text, condition)
    alphas = taught.scheduler.alphas_cumprod
    scheduler.set_timesteps(8)
    scheduler.num_inference_steps = 2  # a step leads 500 timesteps on, or to the end
    velocity = velocity_to(clean, noisy, alphas, rows)
    after = scheduler.step(velocity, timestep, noisy).prev_sample
    torch.testing.assert_close(after, arrived, rtol=1e-3, atol=1e-3)


def test_samples_at_several_steps_are_told_apart(taught):
    batch = batch_of(taught)
    text, condition = conditioned(taught, batch)
    noisy, mixed = torch.randn_like(batch["latents"]), torch.tensor([999, 124])
    together = taught.teacher.clean(noisy, mixed, text, condition)
    for row, timestep in enumerate(mixed):
        alone = taught.teacher.clean(noisy, timestep.expand(2), text, condition)
        torch.testing.assert_close(together[row], alone[row], rtol=1e-3, atol=1e-3)


def randomise_a_little(objective):
    for parameter in objective.parameters():
        if parameter.requires_grad:
            parameter.data += 0.05 * torch.randn_like(parameter)


def test_the_teacher_stays_what_it_was_and_shares_what_is_frozen(taught):
    teacher = taught.teacher.denoiser
    assert not any("teacher" in name for name in taught.state_dict())
    pairs = list(zip(taught.part("unet").parameters(), teacher.unet.parameters(), strict=True))
    assert all(ours is theirs for ours, theirs in pairs)
    before = copy.deepcopy(teacher.hifi_net.state_dict())
    optimiser = torch.optim.SGD([p for p in taught.parameters() if p.requires_grad], 0.1)
    torch.manual_seed(0)
    sum(taught(batch_of(taught)).values()).backward()
    optimiser.step()
    assert not torch.equal(before["conv_in.weight"], taught.part("hifi_net").state_dict()["conv_in.weight"])
    assert all(torch.equal(before[name], value) for name, value in teacher.hifi_net.state_dict().items())


class Gaussian:
    """A denoiser that knows numbers of mean 0.5 and deviation 0.4 exactly."""

    def __init__(self, alphas_cumprod):
        self.alphas_cumprod = alphas_cumprod

    def to(self, device):
        pass

    def __call__(self, noisy, timesteps, *others):
        alpha = self.alphas_cumprod[timesteps].view(-1, 1, 1, 1)
        gain = alpha.sqrt() * 0.4**2 / (alpha * 0.4**2 + 1 - alpha)
        clean = 0.5 + gain * (noisy - 0.5 * alpha.sqrt())
        return velocity_to(clean, noisy, self.alphas_cumprod, timesteps)


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_few_steps_draw_what_the_teacher_draws_in_many(taught, steps):
    """With what it is taught, a line for each step does: clean numbers are a line of noisy ones."""
    alphas = taught.scheduler.alphas_cumprod
    teacher = Teacher(Gaussian(alphas), steps=8, at_once=8 // steps, guidance=1.0)

    def taught_velocity(noisy, timesteps):
        generator = torch.Generator().manual_seed(int(timesteps[0]))
        numbers = 0.5 + 0.4 * torch.randn(64, 1, 1, 1, generator=generator)
        noise, rows = torch.randn(64, 1, 1, 1, generator=generator), timesteps[:1].expand(64)
        seen = taught.scheduler.add_noise(numbers, noise, rows)
        wanted = teacher.clean(seen, rows, None, None)
        slope, height = torch.linalg.lstsq(
            torch.stack([seen.flatten(), torch.ones(64)], dim=1), wanted.flatten()
        ).solution
        return velocity_to(slope * noisy + height, noisy, alphas, timesteps)

    def teacher_velocity(noisy, timesteps):
        return teacher.denoiser(noisy, timesteps)

    noise = torch.randn(1000, 1, 1, 1, generator=torch.Generator().manual_seed(0))
    arrived = draw_in_few_steps(teacher_velocity, alphas, noise, 8)
    assert arrived.std() > 0.2
    assert (draw_in_few_steps(teacher_velocity, alphas, noise, steps) - arrived).abs().mean() > 0.01
    drawn = draw_in_few_steps(taught_velocity, alphas, noise, steps)
    torch.testing.assert_close(drawn, arrived, rtol=1e-3, atol=1e-3)


def test_a_teacher_must_be_able_to_draw(prepared, base_folder):
    with pytest.raises(ModelError, match="hifi_net and face_attention would start afresh"):
        hifi(prepared, base_folder, teacher_steps=8)
    with pytest.raises(
        ModelError, match=r"multiple of hifi.student_steps, 4, and at least twice as many, not 9"
    ):
        hifi(prepared, base_folder, teacher_steps=9)
