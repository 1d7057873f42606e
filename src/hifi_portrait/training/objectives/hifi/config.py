"""Settings of the objective `hifi`."""

from __future__ import annotations

from dataclasses import dataclass, field

AS_GIVEN = "as-given"
"""The design whose settings are those of the face parts that a run starts from."""

FACE_PARTS = ("face_encoder", "face_refiner", "hifi_net", "face_attention")
"""The parts that read faces, by their names in a pipeline's folder."""


@dataclass(frozen=True, kw_only=True)
class HiFiLosses:
    """Weights of the loss terms, 0 or more, and what belongs to them. A term of weight 0 is not computed."""

    denoising: float = 1.0
    """Weight of the squared error of the velocity."""

    face_region: float = 1.0
    """How much more an error on the head counts in the denoising term than one beside it."""

    eye_region: float = 0.0
    """How much more an error about the eyes counts than one elsewhere on the head. Gaze, blinks and glasses
    show in few latents there."""

    min_snr_gamma: float = 5.0
    """Ratio of signal to noise at which the denoising term's weight is cut off (arXiv 2303.09556)."""

    warp_start_width: float = 0.15
    """Error of the clean latents, in their standard deviations, beyond which it counts in proportion and not
    squared, in noisings that start from the warp. Where an outline may lie here or there, one of the two is
    better than a blur."""

    identity: float = 0.0
    """Weight of one minus the cosine of the recogniser's embeddings, of the decoded picture and the photo. It
    is costly: it decodes pictures."""

    recogniser: str = ""
    """ONNX file of the ArcFace network by whose embeddings ``identity`` is judged, that which the photos were
    prepared with; empty for dlib's, for photos prepared without."""

    identity_steps: int = 0
    """Steps in which pictures are drawn from noise for ``identity``, with a gradient through all of them, as
    PuLID does in 4 (arXiv 2404.16022): a whole face of the networks' own, whatever the noise. 0 judges the
    clean pictures that the noisings of the photos predict. It is costly."""

    landmarks: float = 0.0
    """Weight of the difference of gradients along the landmarks' contours, of the decoded picture and the
    photo. It is costly: it decodes pictures."""

    decoded_samples: int = 1
    """Samples of each batch that are decoded for ``identity`` and ``landmarks``: those with the least
    noise."""

    decoded_below: float = 0.5
    """Fraction of the schedule, in [0, 1], from which on noise is too much to judge a decoded sample by."""

    areas: float = 0.0
    """Weight of the squared error of the clean latents' means over areas of an eighth of the picture's side,
    in starts from the warp. What a prompt changes there is large and of one colour, and errors that count in
    proportion say too little of it."""

    adversary: float = 0.0
    """Length of the adversarial term's gradient at the networks' output, as a fraction of the denoising
    term's. It counts in starts from the warp, with a teacher in all others, too, and needs the part
    ``critic`` among those that learn."""


@dataclass(frozen=True, kw_only=True)
class HiFiDataConfig:
    """How samples are drawn. Settings that end in ``share`` or ``dropout`` are probabilities in [0, 1]."""

    references: tuple[int, int] = (1, 4)
    """Least and greatest number of references, which is uniform between them."""

    equal_counts: int = 1
    """Samples in a row that have equally many references, and with ``buckets`` targets of one shape. A
    multiple of the batch size makes batches that need no padding."""

    truth_share: float = 0.15
    """Probability that a sample's heads are the true ones, where known, rather than those fitted to
    landmarks."""

    one_sitting_share: float = 0.0
    """Probability that all references are of the target's sitting, where it has other photos."""

    named_share: float = 0.0
    """Probability that a sample is of a restyled sitting, whose captions name what changes within it."""

    glasses_share: float = 0.0
    """Probability that such a sitting is one in which somebody puts glasses on or off."""

    degraded_share: float = 0.3
    """Probability of each reference that it is degraded as real photos are."""

    face_dropout: float = 0.05
    """Probability that a sample has no reference at all."""

    caption_dropout: float = 0.1
    """Probability that a noising is of guidance's unconditional half, without prompt and faces."""

    empty_caption: float = 0.1
    """Probability that a sample's caption is empty. Captions of restyled sittings stay."""

    clause_dropout: float = 0.15
    """Probability of each clause of a caption but the first that it is left out. Captions of restyled
    sittings stay whole."""

    regraded_share: float = 0.0
    """Probability that target and references get another exposure, contrast and white balance alike, so that
    more skin and light is seen than was photographed. The target is then encoded anew."""

    cached_text: bool = False
    """Whether captions are read as `prepare` embedded them: in the variants made there, or, with a
    ``clause_dropout`` of 0, whole."""

    packed: bool = False
    """Whether samples travel packed from the processes that make them, in a fifth of the memory: references
    at the size at which the face refiner looks at them, the warp in bytes, coordinates in 10 bits."""

    kept_warps: int = 0
    """Number of samples in all, whose warps are drawn once and kept in the prepared folder (about 0.1 MB each
    at 256 pixels), for this run and all later ones with the same settings; 0 for an endless stream of new
    samples. Drawing the warp takes nearly all the time that a sample takes. Captions and noise change from
    pass to pass. A multiple of ``equal_counts``."""

    buckets: bool = False
    """Whether targets have the shapes that `prepare` sorted them into. Then ``equal_counts`` must be a
    multiple of the batch size."""


@dataclass(frozen=True, kw_only=True)
class HiFiConfig:
    """Settings of the HiFi recipe."""

    size: str = "bundled"
    """Model size (``models/sizes``)."""

    design: str = "ours"
    """What is trained (``models.designs``): the project's own design, another, or "as-given" for whatever the
    weights in ``init_from`` are of."""

    init_from: tuple[str, ...] = ()
    """Folders that the first weights are taken from: runs, checkpoints or pipelines, the first that has a
    part."""

    fresh: tuple[str, ...] = ()
    """Parts that start afresh although ``init_from`` has them. A fresh HiFi-Net takes over the latent prior
    of the one beside the base model."""

    clip: str = ""
    """Folder or hub id of a CLIP, whose vision tower a fresh face encoder starts from; empty for random
    weights. A face encoder that ``init_from`` has is taken as it is."""

    random_clip: bool = False
    """Whether a fresh face encoder whose vision tower is as large as a published CLIP's may start from random
    weights all the same."""

    frozen_clip: bool = False
    """Whether the face encoder's vision tower stays as CLIP's while the rest of the face encoder learns. It
    saves the memory of the tower's gradients and moments."""

    trainable: tuple[str, ...] = FACE_PARTS
    """Parts that learn. Without "unet" the base model stays frozen, with it both are trained jointly. A part
    that reads faces must learn, or be in ``init_from``."""

    copy_unet: bool = True
    """Whether a fresh HiFi-Net starts from the UNet's encoder half."""

    surface_alignment: bool = True
    """Whether HiFi-Net is guided by features that the head's surface carries from the references."""

    warp_latents: bool = True
    """Whether HiFi-Net is guided by the latents of the plain warp."""

    face_tokens: bool = True
    """Whether HiFi-Net is guided by attention to face tokens."""

    transformer_layers: tuple[int, ...] = ()
    """Layers of a fresh HiFi-Net's transformers for each level of resolution; empty for the size's own."""

    latent_prior: bool = True
    """Whether to keep the latent prior of sizes that have one: for a base model that learns along with it,
    not for one that was trained without."""

    noise_draws: int = 1
    """Noisings of each sample, evenly over the schedule, for one run of the face models. On a CPU that and
    making the sample cost more than the UNet."""

    noise_shift: float = 1.0
    """Above 1 it draws more timesteps of much noise (arXiv 2403.03206, section 5.3.2), on which portraits of
    few steps depend."""

    teacher_steps: int = 0
    """Steps of a teacher, a frozen copy of the networks that the run starts from: they learn to draw in few
    steps and without guidance what it draws in so many (``teacher.py``). 0 for none. Starts from the warp
    still learn the photo."""

    teacher_guidance: float = 2.0
    """Guidance scale with which the teacher draws, 1 for none."""

    student_steps: int = 4
    """In how many steps to draw what a teacher draws in its steps, which are a multiple of them."""

    warp_starts: float = 0.0
    """Fraction, in [0, 1], of noisings that noise the warp instead of the photo and still predict the photo:
    what a portrait that starts from the warp depends on. Only samples whose references are all of the photo's
    sitting count, for whose warp no other light or clothes are to blame."""

    warp_start_noise: tuple[float, float] = (0.05, 0.5)
    """Least and greatest timestep of such noisings, as fractions of the schedule."""

    warp_start_grain: tuple[float, float] = (1.0, 1.0)
    """Least and greatest noise scale of such noisings, in [0, 1]: what of the schedule's noise is added. 0
    leaves the warp clean, which loses none of its detail."""

    calibrate_prior: bool = False
    """Whether to measure the latent prior anew even where HiFi-Net's weights are given, as after a change of
    the autoencoder."""

    gradient_checkpointing: bool = False
    """Whether to compute the networks' inner states again instead of keeping them: less memory, more time."""

    frozen_in_half: bool = False
    """Whether to keep what does not learn in bfloat16: less memory."""

    kept_samples: int = 0
    """Number of samples in all, whose faces are looked at once and kept in memory (0.3 MB each of the bundled
    size, about 14 MB of SDXL's); 0 for an endless stream of new ones. About twice as fast on a CPU. The
    face encoder and refiner must have learnt before, and what HiFi-Net prepares of a face stays as it is. A
    multiple
    of the batch size over all processes keeps each sample in one process."""

    losses: HiFiLosses = field(default_factory=HiFiLosses)
    """The loss terms."""

    data: HiFiDataConfig = field(default_factory=HiFiDataConfig)
    """How samples are drawn."""

    sheet_people: int = 6
    """Held-out people on a sheet, and in the figures of held-out data."""

    sheet_steps: int = 20
    """Steps in which a sheet's pictures are drawn."""

    sheet_guidance: float = 2.0
    """Guidance scale with which they are drawn, 1 for none."""
