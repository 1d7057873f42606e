"""Objective `hifi`: HiFi-Net and the face networks over a base model, which is frozen or learns along."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from hifi_portrait.errors import ModelError
from hifi_portrait.faces.arcface import CHIP_SIZE as ARCFACE_CHIP_SIZE
from hifi_portrait.faces.dlib_resnet import CHIP_SIZE
from hifi_portrait.head import Part
from hifi_portrait.head.arrays import ByteArray
from hifi_portrait.head.model import triangles_around_eyes
from hifi_portrait.models.build import build
from hifi_portrait.models.conditioning import Conditioning, FaceConditioner, FaceInputs
from hifi_portrait.models.latents import decode_picture, encode_picture, reduction
from hifi_portrait.models.tensors import map_tensors
from hifi_portrait.prompts.class_word import find_class_words
from hifi_portrait.training.data.text import TextEmbeddings, encode_text
from hifi_portrait.training.engine.objective import Batch, Objective
from hifi_portrait.training.engine.precision import autocast_where_fast, own_precision
from hifi_portrait.training.engine.weights import find_scheduler
from hifi_portrait.training.objectives.diffusion import (
    clean_from_velocity,
    draw_in_few_steps,
    draw_noise_scale,
    draw_timesteps,
    draw_warp_starts,
    min_snr_weight,
    sample_latents,
    velocity_to,
)
from hifi_portrait.training.objectives.hifi.config import HiFiConfig, HiFiLosses
from hifi_portrait.training.objectives.hifi.critic import balance_gradients, hinge_critic_loss, mean_of
from hifi_portrait.training.objectives.hifi.data import HiFiData
from hifi_portrait.training.objectives.hifi.denoiser import Denoiser
from hifi_portrait.training.objectives.hifi.packed import unpack_batch
from hifi_portrait.training.objectives.hifi.parts import hifi_parts, take_over_prior
from hifi_portrait.training.objectives.hifi.prior import calibrate_prior
from hifi_portrait.training.objectives.hifi.recogniser import load_recogniser
from hifi_portrait.training.objectives.hifi.sample_faces import SampleFaces, SampleMemory
from hifi_portrait.training.objectives.hifi.start import (
    CRITIC,
    check_data,
    check_memory,
    find_fresh,
    freeze_clip,
    given_parts,
)
from hifi_portrait.training.objectives.hifi.teacher import Teacher
from hifi_portrait.training.objectives.losses import (
    align_chips,
    area_errors,
    denoising_loss,
    embedding_loss,
    landmark_band,
    landmark_band_loss,
)
from hifi_portrait.training.objectives.sheets import arrange_grid, decode_latents, to_image

_CRITIC_WARMUP = 0.1
"""Fraction of the run over which the adversarial term's weight grows from 0 to the full."""


class HiFiObjective(Objective):
    """v-prediction of a photo from other photos of the person, the head in it, and its caption.

    Parameters
    ----------
    config
        Settings of the recipe.
    data
        Prepared folder.
    seed
        Seed of fresh weights and of the samples.

    Raises
    ------
    ModelError, DatasetError
        Parts, data and settings do not go together.
    """

    def __init__(self, config: HiFiConfig, data: str | Path, *, seed: int = 0) -> None:
        super().__init__(hifi_parts(config, data, seed=seed), config.trainable)
        self.config = config
        if config.frozen_clip and self.part("face_encoder").config.patches:
            freeze_clip(self.part("face_encoder"), half=config.frozen_in_half)
        self.scheduler = find_scheduler(config.init_from) or build(config.size, ["scheduler"])["scheduler"]
        self.recogniser = load_recogniser(config.losses)
        if self._predicted == "epsilon" and self.part("hifi_net").prior is not None:
            raise ModelError("a base that predicts noise has no latent prior: set hifi.latent_prior = false")
        hifi_net = self.part("hifi_net")
        self._reads_warp = bool(
            hifi_net.config.warp_latents or hifi_net.prior is not None or config.warp_starts > 0
        )
        pictures = self._decodes(config.losses)
        self.data = HiFiData(config.data, data, seed=seed, with_pictures=pictures, with_warp=self._reads_warp)
        check_data(config, self.data.prepared, self.data.text, self.parts)
        self.second_padding = self.data.prepared.second_padding()
        fresh = "hifi_net" not in given_parts(config)
        of_unet = self.part("hifi_net").copy_unet(self.part("unet")) if fresh and config.copy_unet else set()
        self.fresh_parameters = find_fresh(self.parts, config, of_unet)
        known = not fresh or take_over_prior(self.part("hifi_net"), config.init_from)
        if (config.calibrate_prior or not known) and self.part("hifi_net").prior is not None:
            calibrate_prior(self.part("hifi_net").prior, self.part("vae"), self.data)
        self.part("face_attention").attach(self.part("unet"))
        model = self.data.model
        self.conditioner = FaceConditioner(
            self.part("face_encoder"),
            self.part("face_refiner"),
            self.part("hifi_net"),
            self.part("vae"),
            model.triangles,
        )
        self.denoiser = Denoiser(
            unet=self.part("unet"),
            hifi_net=hifi_net,
            face_attention=self.part("face_attention"),
            alphas_cumprod=self.scheduler.alphas_cumprod,
            predicted=self._predicted,
            factor=reduction(self.part("vae")),
        )
        self.teacher: Teacher | None = None
        if config.teacher_steps > 0:
            self.teacher = Teacher(
                self.denoiser.frozen_copy(),
                config.teacher_steps,
                config.teacher_steps // config.student_steps,
                config.teacher_guidance,
            )
        importance = config.losses.face_region * (model.parts != Part.SHOULDERS)
        importance += config.losses.eye_region * triangles_around_eyes(model)
        self.memory = self._memory(config.kept_samples)
        self.register_buffer("importance", torch.from_numpy(importance).float(), persistent=False)

    def sample(self, index: int) -> Batch:
        """Make sample ``index`` as `HiFiData.sample` does; kept samples have `SampleFaces` as ``faces``."""
        return self.data.sample(index) if self.memory is None else self.memory[index]

    def collate(self, samples: list[Batch]) -> Batch:
        """Stack tensors, and join faces by their own rule."""
        return self.data.collate(samples)

    def forward(self, batch: Batch, progress: float = 0.0) -> dict[str, Tensor]:
        """Compute the term ``denoising`` and the other losses' terms whose weights are above 0."""
        losses, draws = self.config.losses, self.config.noise_draws
        batch = unpack_batch(batch)
        known = self._known(batch)

        def repeat(value: Tensor) -> Tensor:
            return value.repeat_interleave(draws, dim=0)

        text, known = map_tensors(self._text(batch, known.condition), repeat), map_tensors(known, repeat)
        condition, latents = known.condition, known.latents
        dropout = self.config.data.caption_dropout if self.teacher is None else 0.0
        unprompted = torch.rand(len(latents), device=latents.device) < dropout
        noise = torch.randn_like(latents)
        from_warp, timesteps, noise_scale = self._noising(
            batch["one_sitting"].repeat_interleave(draws) & ~unprompted
        )
        noise = noise * noise_scale.view(-1, 1, 1, 1)
        started = torch.where(from_warp.view(-1, 1, 1, 1), condition.warp_latents.to(latents), latents)
        noisy = self.scheduler.add_noise(started, noise, timesteps)
        alphas = self.scheduler.alphas_cumprod.to(latents.device)
        wanted = self._wanted(latents, noisy, timesteps, text, condition, from_warp)
        velocity = velocity_to(wanted, noisy, alphas, timesteps)
        prediction = self.denoiser(noisy, timesteps, text, condition, unprompted, noise_scale)
        weight = min_snr_weight(alphas, timesteps, losses.min_snr_gamma, self._predicted)
        width = torch.where(from_warp, losses.warp_start_width / (1 - alphas[timesteps]).sqrt(), torch.inf)
        error = denoising_loss(prediction, velocity, weight, known.importance, width)
        terms = {"denoising": losses.denoising * error}
        clean = clean_from_velocity(noisy, prediction, alphas, timesteps)
        if losses.areas > 0:
            terms["areas"] = losses.areas * (area_errors(clean - wanted) * from_warp).mean()
        if losses.adversary > 0:
            shown = (condition.warp_latents.to(latents), known.coverage)
            judged = from_warp if self.teacher is None else torch.ones_like(from_warp)
            critic_term, adversary = self._critic_terms(clean, latents, shown, judged)
            terms["critic"] = critic_term
            if prediction.requires_grad:
                strength = losses.adversary * min(1.0, progress / _CRITIC_WARMUP)
                terms["adversary"] = balance_gradients(adversary, error, prediction, strength)
        if self._decodes(losses):
            drawn = None
            if losses.identity > 0 and losses.identity_steps > 0:
                drawn = self._draw_in_few_steps(text, condition)
            terms |= self._picture_terms(clean, timesteps, batch, drawn)
        return terms

    def _wanted(
        self,
        latents: Tensor,
        noisy: Tensor,
        timesteps: Tensor,
        text: TextEmbeddings,
        condition: Conditioning,
        from_warp: Tensor,
    ) -> Tensor:
        """Give the clean latents that are learnt: the photos', or where a teacher shows them, its."""
        shown = ~from_warp
        if self.teacher is None or not bool(shown.any()):
            return latents
        read, seen = map_tensors(text, lambda t: t[shown]), map_tensors(condition, lambda t: t[shown])
        wanted = latents.clone()
        wanted[shown] = self.teacher.clean(noisy[shown], timesteps[shown], read, seen).to(wanted)
        return wanted

    def _draw_in_few_steps(self, text: TextEmbeddings, condition: Conditioning) -> Tensor:
        """Draw clean latents (B, C, h, w) of whole samples from noise, with a gradient."""
        noise = torch.randn_like(condition.warp_latents, dtype=torch.float32)
        prompted = torch.zeros(len(noise), dtype=torch.bool, device=noise.device)
        alphas = self.scheduler.alphas_cumprod.to(noise.device)
        return draw_in_few_steps(
            lambda noisy, times: self.denoiser(noisy, times, text, condition, prompted),
            alphas,
            noise,
            self.config.losses.identity_steps,
        )

    def _critic_terms(
        self, drawn: Tensor, photos: Tensor, shown: tuple[Tensor, Tensor], counted: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Compute the critic's term and the networks', of the samples ``counted``, (B,).

        The critic is ``shown`` warp and coverage in both.
        """
        critic = self.part(CRITIC)
        critic_term = hinge_critic_loss(critic(photos, *shown), critic(drawn.detach(), *shown), counted)
        return critic_term, -mean_of(critic.score_frozen(drawn, *shown), counted)

    def sheet(self) -> ByteArray:
        """Draw held-out people: first reference, target, landmark image, warp, and drawn portrait."""
        batch = unpack_batch(self._held_out())
        latents, faces = batch["latents"], batch["faces"]
        condition = self.conditioner(faces, with_warp=self._reads_warp)
        text = self._text(batch, condition)
        everyone = torch.ones(len(latents), dtype=torch.bool, device=latents.device)

        def predict(noisy: Tensor, timesteps: Tensor) -> Tensor:
            plain = self.denoiser(noisy, timesteps, text, condition, everyone)
            prompted = self.denoiser(noisy, timesteps, text, condition, ~everyone)
            return plain + self.config.sheet_guidance * (prompted - plain)

        scheduler = type(self.scheduler).from_config(self.scheduler.config, prediction_type="v_prediction")
        drawn = sample_latents(predict, scheduler, torch.randn_like(latents), self.config.sheet_steps)
        pictures = [
            *(to_image(crop[0].float() / 127.5 - 1) for crop in faces.crops),
            *(to_image(picture) for picture in decode_latents(self.part("vae"), latents)),
            *(to_image(landmark[:3] * 2 - 1) for landmark in faces.landmark),
            *(to_image(warp) for warp in faces.warp),
            *(to_image(picture) for picture in decode_latents(self.part("vae"), drawn)),
        ]
        return arrange_grid(pictures, columns=len(latents))

    def metrics(self) -> dict[str, float]:
        """Measure the loss terms on held-out people, over four draws of noise and timesteps."""
        batch = self._held_out()
        draws = [self(batch) for _ in range(4)]
        return {name: float(np.mean([draw[name].item() for draw in draws])) for name in draws[0]}

    @property
    def _predicted(self) -> str:
        """What the networks predict: "v_prediction" or "epsilon"."""
        return str(self.scheduler.config.prediction_type)

    def _memory(self, count: int) -> SampleMemory | None:
        """Make the memory of samples, where it is requested; raise ModelError where that cannot be."""
        if not count:
            return None
        check_memory(self.config)

        def faces(batch: Batch) -> SampleFaces:
            device = next(self.part("unet").parameters()).device
            moved = unpack_batch({name: value.to(device) for name, value in batch.items()})
            with autocast_where_fast(device):
                return self._known(moved)

        return SampleMemory(count, self.data.sample, faces, self.collate)

    def _held_out(self) -> Batch:
        batch = self.data.held_out(self.config.sheet_people)
        device = next(self.part("unet").parameters()).device
        return {name: value.to(device) for name, value in batch.items()}

    def _noising(self, possible: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Draw which of the ``possible`` noisings (B,) start from the warp; timesteps and noise scales."""
        config = self.config
        from_warp = draw_warp_starts(possible, config.warp_starts)
        timesteps = draw_timesteps(
            from_warp,
            self.scheduler.config.num_train_timesteps,
            draws=config.noise_draws,
            shift=config.noise_shift,
            warp_range=config.warp_start_noise,
        )
        if self.teacher is not None:
            taught = self.teacher.timesteps(self.teacher.numbers(timesteps))
            timesteps = torch.where(from_warp, timesteps, taught)
        return from_warp, timesteps, draw_noise_scale(from_warp, config.warp_start_grain)

    def _latents(self, batch: Batch) -> Tensor:
        """Give the targets' latents (B, C, h, w); those of regraded pictures are encoded here."""
        latents: Tensor = batch["latents"]
        regraded: Tensor = batch["regraded"]
        if self.config.data.regraded_share > 0 and bool(regraded.any()):
            pictures = batch["picture"][regraded].float() / 127.5 - 1
            latents = latents.clone()
            latents[regraded] = encode_picture(self.part("vae"), pictures).to(latents)
        return latents

    def _known(self, batch: Batch) -> SampleFaces:
        """Compute what the networks and the losses need of a batch's faces."""
        faces = batch["faces"]
        if isinstance(faces, SampleFaces):
            device = next(self.part("unet").parameters()).device
            return map_tensors(
                faces, lambda t: t.to(device, torch.float32 if t.is_floating_point() else t.dtype)
            )
        condition = self.conditioner(faces, with_warp=self._reads_warp)
        extent = (condition.warp_latents.shape[-2], condition.warp_latents.shape[-1])
        coverage = F.adaptive_avg_pool2d(faces.warp_coverage, extent)
        return SampleFaces(condition, self._latents(batch), self._importance(faces, extent), coverage)

    def _text(self, batch: Batch, condition: Conditioning) -> TextEmbeddings:
        """Give what the networks read of a batch's captions."""
        if self.config.data.cached_text:
            return TextEmbeddings(batch["text_hidden"], batch["text_pooled"])
        ids, refiner = batch["token_ids"], self.part("face_refiner")
        with own_precision(self.part("text_encoder")):
            encoders = (self.part("text_encoder"), self.part("text_encoder_2"))
            read = encode_text(*encoders, ids, self.second_padding)
        # Encoders of half precision may stand beside networks that train without autocast.
        text = TextEmbeddings(read.hidden.float(), read.pooled.float())
        if not refiner.in_prompt:
            return text
        places = find_class_words(self.data.tokenizer, ids)
        return TextEmbeddings(
            refiner.merge(text.hidden, places, condition.tokens, condition.references), text.pooled
        )

    def _importance(self, faces: FaceInputs, extent: tuple[int, int]) -> Tensor:
        """Compute how much an error of each latent counts (B, 1, h, w), by the part of the head it shows."""
        importance: Any = self.importance
        shown = (faces.triangle >= 0) * importance[faces.triangle.long().clamp(min=0)]
        return 1 + F.adaptive_avg_pool2d(shown[:, None], extent)

    def _picture_terms(
        self, clean: Tensor, timesteps: Tensor, batch: Batch, drawn: Tensor | None
    ) -> dict[str, Tensor]:
        """Compute the terms of decoded pictures; identity is that of ``drawn`` latents, if there are any."""
        losses = self.config.losses
        steps = self.scheduler.config.num_train_timesteps
        chosen = timesteps.argsort()[: losses.decoded_samples]
        counted = (timesteps[chosen] < losses.decoded_below * steps).float()
        shown = chosen // self.config.noise_draws
        vae = self.part("vae")
        pictures = decode_picture(vae, clean[chosen])
        terms = {}
        if losses.identity > 0 and self.recogniser is not None:
            faces, weight = pictures, counted
            if drawn is not None:
                faces, weight = decode_picture(vae, drawn[chosen]), torch.ones_like(counted)
            size = ARCFACE_CHIP_SIZE if losses.recogniser else CHIP_SIZE
            embeddings = self.recogniser(align_chips(faces, batch["chips"][shown], size))
            error = embedding_loss(embeddings, batch["embedding"][shown], weight)
            terms["identity"] = losses.identity * error
        if losses.landmarks > 0:
            band = landmark_band(batch["faces"].landmark[shown, :3]) * counted.view(-1, 1, 1, 1)
            target = batch["picture"][shown].float() / 127.5 - 1
            terms["landmarks"] = losses.landmarks * landmark_band_loss(pictures, target, band)
        return terms

    @staticmethod
    def _decodes(losses: HiFiLosses) -> bool:
        return losses.identity > 0 or losses.landmarks > 0
