"""Samples for HiFi-Net from a prepared folder: references, target head, caption and latents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from hifi_portrait.errors import DatasetError
from hifi_portrait.faces.arcface import arcface_transform
from hifi_portrait.head import HeadModel, SurfaceView
from hifi_portrait.landmarks import LandmarkGenerator
from hifi_portrait.models.conditioning import FaceInputs, face_inputs
from hifi_portrait.models.tensors import join_tensors
from hifi_portrait.prompts.glasses import find_glasses
from hifi_portrait.training.data.augment import ColourGrade, degrade
from hifi_portrait.training.data.buckets import Buckets
from hifi_portrait.training.data.cached_text import CachedText
from hifi_portrait.training.data.kept_warps import KeptWarps
from hifi_portrait.training.data.prepared import GeometryKind, Prepared
from hifi_portrait.training.data.text import vary_caption
from hifi_portrait.training.data.tokenizer import token_ids
from hifi_portrait.training.engine.objective import Batch
from hifi_portrait.training.engine.samples import shuffled_index
from hifi_portrait.training.objectives.hifi.config import HiFiDataConfig
from hifi_portrait.training.objectives.hifi.packed import PackedFaces, pack_faces


class HiFiData:
    """Samples of an endless stream over a prepared folder's training identities.

    Parameters
    ----------
    config
        How samples are drawn.
    folder
        The prepared folder.
    seed
        Seed of the order of identities, and of everything random in a sample.
    with_pictures
        Whether samples hold the target's picture, too.
    with_warp
        Whether anything reads their warps, which are not drawn otherwise.
    arcface_chips
        Whether ``chips`` leads to the aligned view of ArcFace's networks instead of dlib's.
    crop_size
        Side in pixels of packed references; 0 packs nothing.

    Raises
    ------
    DatasetError
        The folder does not have what ``config`` requests.
    """

    def __init__(
        self,
        config: HiFiDataConfig,
        folder: str | Path,
        *,
        seed: int = 0,
        with_pictures: bool = False,
        with_warp: bool = True,
        arcface_chips: bool = False,
        crop_size: int = 0,
    ) -> None:
        self.config = config
        self.with_warp = with_warp
        self.arcface_chips, self.crop_size = arcface_chips, crop_size
        self.seed = seed
        self.with_pictures = with_pictures or config.regraded_share > 0
        self.prepared = Prepared(folder)
        self.identities = self.prepared.identities("train")
        if not self.identities:
            raise DatasetError(f"{folder} has no training identity with two usable photos")
        self.restyled = [g for g in self.identities if self.prepared.arrays["named"][g].all()]
        self.with_and_without_glasses = [g for g in self.restyled if self._glasses_change(g)]
        requested = {"named": self.restyled, "glasses": self.with_and_without_glasses}
        for name, groups in requested.items():
            if getattr(config, f"{name}_share") > 0 and not groups:
                raise DatasetError(
                    f"{folder} has no restyled sitting for hifi.data.{name}_share: make some with "
                    f"`hifi-portrait people --restyled 1`, or set hifi.data.{name}_share = 0"
                )
        self.tokenizer = self.prepared.tokenizer()
        self.text = CachedText(self.prepared) if config.cached_text else None
        self.model = HeadModel.load()
        self.generator = LandmarkGenerator.load(self.model)
        self.buckets = Buckets(self.prepared) if config.buckets else None
        if config.buckets and self.with_pictures:
            raise DatasetError(
                "hifi.data.buckets have latents alone: set hifi.data.regraded_share and hifi.losses.identity "
                "and landmarks to 0"
            )
        self._training = np.concatenate(self.identities)
        if config.kept_warps < 0 or config.kept_warps % config.equal_counts:
            raise DatasetError(
                f"hifi.data.kept_warps = {config.kept_warps} must be a multiple of hifi.data.equal_counts = "
                f"{config.equal_counts}, or 0"
            )
        keeps = config.kept_warps > 0 and with_warp
        self.kept_warps = KeptWarps(self.prepared.folder, self.model) if keeps else None
        self._in_bucket: dict[tuple[int, int], list[np.ndarray]] = {}
        self._views: dict[tuple[int, GeometryKind], SurfaceView] = {}
        self._held_out: dict[int, Batch] = {}

    def sample(self, index: int) -> Batch:
        """Make sample ``index``: one target and its references.

        Returns
        -------
        dict
            ``faces``, a batch of one, packed if so set; ``latents`` (C, h, w); ``token_ids`` (77,),
            or the cached
            ``text_hidden`` and ``text_pooled``; ``chips`` (3, 3) and ``embedding`` (E,) of the target;
            ``one_sitting`` (), whether the references are known to be of the target's sitting; ``regraded``
            (), whether ``latents`` are not those of the regraded picture; and, with pictures, ``picture``
            (3, S, S) uint8.
        """
        number = index % self.config.kept_warps if self.config.kept_warps else index
        return self._sample(index, number, self.buckets, self.kept_warps)

    def square_sample(self, index: int) -> Batch:
        """Make sample ``index`` with a square target, whatever the buckets."""
        return self._sample(index, index, None, None)

    def _sample(self, index: int, number: int, buckets: Buckets | None, kept: KeptWarps | None) -> Batch:
        """Make sample ``index``, whose caption is its own; all else follows from ``number``."""
        rng = np.random.default_rng([self.seed, 3, number])
        people = self._people(rng)
        block = np.random.default_rng([self.seed, 4, number // self.config.equal_counts])
        least, most = self.config.references
        count, bucket = int(block.integers(least, most + 1)), None
        if buckets is not None:
            of_photo = buckets.of_photo
            bucket = int(block.choice(of_photo[self._training]))
            named = self._of_bucket(people, bucket, of_photo)
            people = named or self._of_bucket(self.identities, bucket, of_photo)
        group = people[shuffled_index(number, len(people), self.seed)]
        target, photos = self._choose(group, rng, count, buckets, bucket)
        sample = self._draw(target, photos, rng, self.config, buckets, kept)
        words = np.random.default_rng([self.seed, 5, index]) if self.config.kept_warps else rng
        return sample | self._caption(target, words, self.config)

    def _of_bucket(
        self, people: Sequence[np.ndarray], bucket: int, of_photo: np.ndarray
    ) -> Sequence[np.ndarray]:
        """Choose the people, as groups of photos, who have a photo in a bucket."""
        key = (id(people), bucket)
        if key not in self._in_bucket:
            self._in_bucket[key] = [group for group in people if (of_photo[group] == bucket).any()]
        return self._in_bucket[key]

    def _people(self, rng: np.random.Generator) -> Sequence[np.ndarray]:
        """Choose of whom a sample may be, as groups of photos."""
        if rng.random() >= self.config.named_share:
            return self.identities
        return self.with_and_without_glasses if rng.random() < self.config.glasses_share else self.restyled

    def _glasses_change(self, group: np.ndarray) -> bool:
        """Tell whether a sitting's captions name glasses in some photos and none or sunglasses in others."""
        captions = [self.prepared.captions[photo] for photo in group]
        named = {find_glasses(caption) for caption in captions}
        return len({one if one in (None, "none", "sunglasses") else "clear" for one in named}) > 1

    def held_out(self, count: int) -> Batch:
        """Give a batch of held-out people, always the same: four clean references each, and fitted heads."""
        if count not in self._held_out:
            self._held_out[count] = self._make_held_out(count)
        return self._held_out[count]

    def _make_held_out(self, count: int) -> Batch:
        groups = (self.prepared.identities("validation") or self.identities)[:count]
        config = replace(
            self.config,
            truth_share=0,
            degraded_share=0,
            face_dropout=0,
            empty_caption=0,
            clause_dropout=0,
            regraded_share=0,
        )
        samples = []
        for i, group in enumerate(groups):
            rng = np.random.default_rng([7, i])
            target, photos = self._choose(group, rng, 4)
            samples.append(self._draw(target, photos, rng, config) | self._caption(target, rng, config))
        return self.collate(samples)

    def collate(self, samples: Sequence[Batch]) -> Batch:
        """Join samples into a batch.

        Raises
        ------
        DatasetError
            The targets are of several shapes.
        """
        faces = [sample["faces"] for sample in samples]
        drawn = FaceInputs | PackedFaces
        targets = [each.landmark if isinstance(each, drawn) else each.latents for each in faces]
        if len({target.shape[-2:] for target in targets}) > 1:
            raise DatasetError(
                "a batch has targets of several shapes: set hifi.data.equal_counts to a multiple of "
                "trainer.batch_size"
            )
        batch: Batch = {"faces": join_tensors(faces)}
        for name in samples[0]:
            if name != "faces":
                batch[name] = torch.stack([sample[name] for sample in samples])
        return batch

    def _choose(
        self,
        group: np.ndarray,
        rng: np.random.Generator,
        count: int,
        buckets: Buckets | None = None,
        bucket: int | None = None,
    ) -> tuple[int, list[int]]:
        """Choose of one person's photos a target, of a bucket if there are any, and its references."""
        others = [int(photo) for photo in rng.permutation(group)]
        target = next(p for p in others if buckets is None or buckets.of_photo[p] == bucket)
        others.remove(target)
        beside = [photo for photo in others if self.prepared.in_one_sitting([target, photo])]
        photos = (beside if beside and rng.random() < self.config.one_sitting_share else others)[:count]
        return target, photos

    def _draw(
        self,
        target: int,
        photos: Sequence[int],
        rng: np.random.Generator,
        config: HiFiDataConfig,
        buckets: Buckets | None = None,
        kept: KeptWarps | None = None,
    ) -> Batch:
        """Draw a sample, all but its caption, with its warp as it was kept, if any are."""
        kind: GeometryKind = "truth" if rng.random() < config.truth_share else "fit"
        prepared = self.prepared
        references = prepared.references(photos, [kind] * len(photos))
        grade = ColourGrade.sample(rng) if rng.random() < config.regraded_share else None
        if grade is not None:
            references = replace(references, crops=grade(references.crops))
        crops = [degrade(c, rng) if rng.random() < config.degraded_share else c for c in references.crops]
        references = replace(references, crops=np.stack(crops))
        geometry, latents = prepared.geometry(target, kind), prepared.latents(target)
        if buckets is not None:
            geometry, latents = buckets.geometry(target, geometry), buckets.latents(target)
        extent = (geometry.camera.width, geometry.camera.height)
        landmark = self.generator.from_geometry(geometry, extent)
        views = [self._view(photo, kind) for photo in photos]
        known = None if kept is None else kept(references, landmark)
        faces = face_inputs(
            references, landmark, model=self.model, views=views, warp=known, with_warp=self.with_warp
        )
        one_sitting = prepared.in_one_sitting([target, *photos])
        if rng.random() < config.face_dropout:
            faces, one_sitting = without_references(faces), False
        extent = (latents.shape[-2], latents.shape[-1])
        packing = config.packed and self.crop_size > 0
        sample: Batch = {
            "faces": pack_faces(faces, extent, self.crop_size) if packing else faces,
            "latents": latents,
            "one_sitting": torch.tensor(one_sitting),
            "regraded": torch.tensor(grade is not None),
            "chips": torch.from_numpy(self._chip(target)),
            "embedding": torch.from_numpy(np.array(prepared.arrays["embeddings"][target])),
        }
        if self.with_pictures:
            crop = np.array(prepared.arrays["crops"][target])
            crop = crop if grade is None else grade(crop)
            sample["picture"] = torch.from_numpy(crop).permute(2, 0, 1)
        return sample

    def _chip(self, photo: int) -> np.ndarray:
        """Give the transform (3, 3) from a photo's crop to the recogniser's aligned view."""
        if not self.arcface_chips:
            return np.array(self.prepared.arrays["chips"][photo])
        return arcface_transform(self.prepared.arrays["landmarks"][photo]).astype(np.float32)

    def _caption(self, photo: int, rng: np.random.Generator, config: HiFiDataConfig) -> Batch:
        """Give what the text encoders read, or, where it is cached, what they make of it."""
        named = bool(self.prepared.arrays["named"][photo])
        if self.text is not None:
            empty = 0.0 if named else config.empty_caption
            return self.text(photo, rng, empty=empty, whole=config.clause_dropout == 0)
        caption = self.prepared.captions[photo]
        if not named:
            caption = vary_caption(caption, rng, config.clause_dropout, config.empty_caption)
        return {"token_ids": token_ids(self.tokenizer, [caption])[0]}

    def _view(self, photo: int, kind: GeometryKind) -> SurfaceView:
        """Give a photo's view of the head. It is kept (80 kB): it costs as much as the rest of a sample."""
        key = (photo, kind)
        if key not in self._views:
            self._views[key] = SurfaceView.from_geometry(self.model, self.prepared.geometry(photo, kind))
        return self._views[key]


def without_references(faces: FaceInputs) -> FaceInputs:
    """Drop what is known of the person from a target: what face guidance contrasts with."""
    names = ("mask", "warp", "warp_coverage")
    return replace(faces, **{name: torch.zeros_like(getattr(faces, name)) for name in names})
