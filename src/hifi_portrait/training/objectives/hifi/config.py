"""Settings of the objective `hifi`."""

from __future__ import annotations

from dataclasses import dataclass, field

from hifi_portrait.training.objectives.hifi.data import HiFiDataConfig

AS_GIVEN = "as-given"
"""The design whose settings are those of the face parts that a run starts from."""
FACE_PARTS = ("face_encoder", "face_refiner", "hifi_net", "face_attention")


@dataclass(frozen=True, kw_only=True)
class HiFiLosses:
    """Weights of the loss terms.

    ``face_region`` is how much more an error on the head counts in the denoising term, ``eye_region`` how
    much more than that one about the eyes, where gaze, blinks and glasses show in few latents. In noisings
    that start from the warp, errors of the clean latents beyond ``warp_start_width`` count in proportion, not
    squared: where an outline may lie here or there, one of the two is better than a blur. ``identity`` and
    ``landmarks`` are measured on the predicted clean picture, decoded, of the ``decoded_samples`` samples
    of each batch with the least noise, where that is at most ``decoded_below`` of the schedule: costly, 0
    by default. ``areas`` counts the squared error of the clean latents' means over areas of an eighth of the
    picture's side, in starts from the warp: what a prompt changes there is large and of one colour, and
    errors counted in proportion say too little of it. ``adversary`` is the length of the adversarial term's
    gradient at the networks' output, as a share of the denoising term's; it counts for starts from the warp
    and needs the part ``critic`` among those that learn.
    """

    denoising: float = 1.0
    face_region: float = 1.0
    eye_region: float = 0.0
    min_snr_gamma: float = 5.0
    warp_start_width: float = 0.15
    identity: float = 0.0
    landmarks: float = 0.0
    decoded_samples: int = 1
    decoded_below: float = 0.5
    areas: float = 0.0
    adversary: float = 0.0


@dataclass(frozen=True, kw_only=True)
class HiFiConfig:
    """Settings of the HiFi recipe.

    ``design`` names what is trained (``models.designs``); the default is the project's own, and "as-given" is
    whatever the weights in ``init_from`` are of. ``trainable`` names the parts that learn: with the UNet left
    out the base model stays frozen, with it both are trained jointly. ``surface_alignment``, ``warp_latents``
    and ``face_tokens`` switch HiFi-Net's sources of guidance. ``transformer_layers`` is how many layers a
    fresh HiFi-Net's transformers have, per level of resolution, in place of the size's. ``latent_prior``
    keeps the prior of sizes that have one: for a base model that learns along with it, not for one that was
    trained without. ``copy_unet`` starts a fresh HiFi-Net from the UNet's encoder half. Each sample is noised
    ``noise_draws`` times, evenly over the schedule, for one run of the face models: on a CPU that and making
    the sample cost more than the UNet. ``noise_shift`` above 1 draws more timesteps of much noise (arXiv
    2403.03206, section 5.3.2), on which portraits of few steps depend. ``warp_starts`` is the share of
    noisings that noise the warp instead of the photo, by amounts in ``warp_start_noise`` (shares of the
    schedule), and still ask for the photo: what a portrait that starts from the warp depends on. Of the
    schedule's noise a share in ``warp_start_grain`` is added; 0 leaves the warp clean, which loses none of
    its detail. It counts where all references are of the photo's sitting, so that the warp differs from it by
    no other light or clothes. ``calibrate_prior`` measures the prior anew even where HiFi-Net's weights are
    given, as after a change of the autoencoder. ``fresh`` names parts that start afresh although
    ``init_from`` has them; a fresh HiFi-Net takes over the latent prior of the one there.
    ``gradient_checkpointing`` computes the networks' inner states again instead of keeping them, and
    ``frozen_in_half`` keeps what does not learn in bfloat16: for large models. With ``kept_samples`` above 0
    there are that many samples, whose faces are looked at once and kept in memory (0.3 MB each of the bundled
    size, about 14 MB of SDXL's): about twice as fast on a CPU. The face encoder and refiner must have learnt
    before, and what HiFi-Net prepares of a face stays as it is. A multiple of the batch size over all
    processes keeps each sample in one process.
    """

    size: str = "bundled"
    design: str = "ours"
    init_from: tuple[str, ...] = ()
    fresh: tuple[str, ...] = ()
    trainable: tuple[str, ...] = FACE_PARTS
    copy_unet: bool = True
    surface_alignment: bool = True
    warp_latents: bool = True
    face_tokens: bool = True
    transformer_layers: tuple[int, ...] = ()
    latent_prior: bool = True
    noise_draws: int = 1
    noise_shift: float = 1.0
    warp_starts: float = 0.0
    warp_start_noise: tuple[float, float] = (0.05, 0.5)
    warp_start_grain: tuple[float, float] = (1.0, 1.0)
    calibrate_prior: bool = False
    gradient_checkpointing: bool = False
    frozen_in_half: bool = False
    kept_samples: int = 0
    losses: HiFiLosses = field(default_factory=HiFiLosses)
    data: HiFiDataConfig = field(default_factory=HiFiDataConfig)
    sheet_people: int = 6
    sheet_steps: int = 20
    sheet_guidance: float = 2.0
