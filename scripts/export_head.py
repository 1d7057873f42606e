"""Build the head asset from anny (MakeHuman data, CC0): python scripts/export_head.py [--out FILE].

Needs the ``assets`` extra. ``scripts/calibrate_head.py`` adds the landmarks afterwards.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import Any

import anny
import anny.paths
import anny.utils.obj_utils
import numpy as np
import torch
from anny.models.model_data import TopologyConfig
from anny.models.phenotype import PHENOTYPE_VARIATIONS
from PIL import Image

from hifi_portrait.head.asset import DEFAULT_ASSET, pack_shapes, save_asset
from hifi_portrait.head.geometry import EXPRESSION_NAMES, IDENTITY_COMPONENTS
from hifi_portrait.head.identity_basis import face_weights, similarity_generators
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.phenotype import PHENOTYPE_NAMES
from hifi_portrait.head.raster import Raster, rasterise
from hifi_portrait.head.shape import ShapeModel, sample_shape
from hifi_portrait.head.texture import MASK_SIZE

log = logging.getLogger("export_head")

JOINTS = ("neck01", "neck02", "neck03", "head", "eye.L", "eye.R")
HEAD_JOINT = JOINTS.index("head")
PART_GROUPS = {
    Part.SKIN: ("body",),
    Part.LEFT_EYE: ("helper-l-eye",),
    Part.RIGHT_EYE: ("helper-r-eye",),
    Part.UPPER_TEETH: ("helper-upper-teeth",),
    Part.LOWER_TEETH: ("helper-lower-teeth",),
    Part.TONGUE: ("helper-tongue",),
    Part.LEFT_LASHES: ("helper-l-eyelashes-1", "helper-l-eyelashes-2"),
    Part.RIGHT_LASHES: ("helper-r-eyelashes-1", "helper-r-eyelashes-2"),
}
LOWEST = -0.36  # metres below the head joint: half-length portraits end above it
WIDEST = 0.33  # metres from the middle: the arms are cut off
BODY_BLOCK_BELOW = -0.12  # vertices below the chin are quantised by a scale of their own
COMPONENTS = 72  # more add nothing: 72 span the phenotypes of adults to 0.04 mm on the head
LOCAL_PREFIXES = (
    "cheek",
    "chin",
    "ear",
    "eyebrows",
    "eye",
    "forehead",
    "head",
    "mouth",
    "nose",
    "neck",
    "measure-neck",
)
# Moves of the whole head, mouth or nose that no adult needs, and ears that stand off like handles.
LOCAL_EXCLUDED = ("head-trans", "neck-trans", "head-angle", "mouth-trans-out", "nose-trans-out", "ear-wing")
MASKS = ("face", "lips", "eyelids", "ears", "inside-mouth")


def load_anny() -> Any:
    topology = TopologyConfig(
        base_mesh="makehuman", nudity_edits=False, remove_unattached_vertices=False, triangulate_faces=False
    )
    return anny.Anny(
        topology=topology,
        phenotypes="all",
        local_changes="all",
        facial_actions="all",
        phenotype_blendshapes="original",
        skinning_method="lbs",
    )


def base_name(label: str) -> str:
    return label[2:] if label.startswith(("l-", "r-")) else label


class Export:
    """The part of anny's mesh, skeleton and blendshapes that a portrait shows."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.bones = [model.bone_labels.index(name) for name in JOINTS]
        self.origin = model.template_bone_heads.numpy()[self.bones[HEAD_JOINT]]
        self._mesh()
        self._shapes()

    def _mesh(self) -> None:
        base = anny.paths.get_anny_root_dir() / "data/mpfb2/3dobjs/base.obj"
        _, uv, groups = anny.utils.obj_utils.load_obj_file(str(base), dtype=torch.float64)
        position = self.model.template_vertices.numpy() - self.origin
        quads, uv_quads, parts = [], [], []
        for part, names in PART_GROUPS.items():
            for name in names:
                quad = np.array([list(face) for face in groups[name]["face_vertex_indices"]])
                uv_quad = np.array([list(face) for face in groups[name]["face_texture_coordinate_indices"]])
                if part == Part.SKIN:
                    corners = position[quad]
                    inside = (corners[:, :, 2].min(1) > LOWEST) & (np.abs(corners[:, :, 0]).max(1) < WIDEST)
                    quad, uv_quad = quad[inside], uv_quad[inside]
                quads.append(quad)
                uv_quads.append(uv_quad)
                parts.append(np.full(len(quad), int(part)))
        quad, uv_quad, part_ids = np.concatenate(quads), np.concatenate(uv_quads), np.concatenate(parts)
        faces = np.concatenate([quad[:, [0, 1, 2]], quad[:, [0, 2, 3]]])
        uv_faces = np.concatenate([uv_quad[:, [0, 1, 2]], uv_quad[:, [0, 2, 3]]])
        part_ids = np.concatenate([part_ids, part_ids])
        proper = (faces != np.roll(faces, 1, axis=1)).all(axis=1)
        self.kept, faces = np.unique(faces[proper], return_inverse=True)
        kept_uv, uv_faces = np.unique(uv_faces[proper], return_inverse=True)
        self.faces, self.uv_faces = faces.reshape(-1, 3), uv_faces.reshape(-1, 3)
        self.uv = uv.numpy()[kept_uv]
        self.position = position[self.kept]
        self.parts = self._split_body(part_ids[proper])
        self.island = self._island()

    def _split_body(self, parts: np.ndarray) -> np.ndarray:
        """Tell the mouth cavity and the shoulders from the skin of the head by their place in the texture."""
        corner_uv = self.uv[self.uv_faces]
        u, v = corner_uv.mean(1).T
        centre = self.position[self.faces].mean(1)
        body = parts == Part.SKIN
        head = (
            body
            & (corner_uv[:, :, 0].min(1) > 0.632)
            & (v > 0.145)
            & (v < 0.82)
            & (np.abs(centre[:, 0]) < 0.14)
        )
        inner = ((u > 0.74) & (v < 0.145)) | ((u < 0.16) & (v > 0.35) & (v < 0.70))
        cavity = body & ~head & inner & (centre[:, 2] > -0.10) & (np.abs(centre[:, 0]) < 0.06)
        parts = parts.copy()
        parts[cavity] = Part.MOUTH_CAVITY
        parts[body & ~head & ~cavity] = Part.SHOULDERS
        return parts

    def _island(self) -> np.ndarray:
        corners = self.uv[self.uv_faces[self.parts == Part.SKIN]].reshape(-1, 2)
        return np.stack([corners.min(0) - 0.004, corners.max(0) + 0.004])

    def _extend(self, vertices: np.ndarray, joints: np.ndarray) -> np.ndarray:
        """Vertices kept, then joints, relative to the head joint."""
        points = np.concatenate([vertices[..., self.kept, :], joints[..., self.bones, :]], axis=-2)
        return points - points[..., len(self.kept) + HEAD_JOINT, None, :]

    def _shapes(self) -> None:
        m = self.model
        phenotypes = m.stacked_phenotype_blend_shapes_mask.shape[0]
        actions = len(m.facial_action_labels)
        if tuple(m.facial_action_labels) != EXPRESSION_NAMES:
            raise SystemExit("this anny orders its facial actions in another way than EXPRESSION_NAMES")
        shapes = self._extend(m.blendshapes.numpy(), m.bone_heads_blendshapes.numpy())
        self.base = self._extend(m.template_vertices.numpy(), m.template_bone_heads.numpy())
        self.phenotype = shapes[:phenotypes]
        self.adult = np.arange(phenotypes)
        self.expression = shapes[phenotypes : phenotypes + actions]
        local = shapes[phenotypes + actions :].reshape(-1, 2, *shapes.shape[1:])
        amplitude = np.abs(local).max(axis=(1, 2, 3))
        self.local_index = [
            i
            for i, label in enumerate(m.local_change_labels)
            if base_name(label).startswith(LOCAL_PREFIXES)
            and not base_name(label).startswith(LOCAL_EXCLUDED)
            and amplitude[i] > 1e-5
        ]
        self.local = local[self.local_index]
        self.local_names = [m.local_change_labels[i] for i in self.local_index]

    def skinning(self) -> np.ndarray:
        m = self.model
        weights = np.zeros((len(m.template_vertices), len(m.bone_labels)), np.float32)
        rows = np.arange(len(weights))[:, None]
        np.add.at(weights, (rows, m.vertex_bone_indices.numpy()), m.vertex_bone_weights.numpy())
        return weights[self.kept][:, self.bones]

    def phenotype_weights(self, values: np.ndarray) -> np.ndarray:
        """anny's blendshape weights (N, K) of phenotypes (N, 11)."""
        zeros = [torch.zeros(1, n, dtype=self.model.dtype) for n in (len(self.model.local_change_labels), 52)]
        labels = list(self.model.phenotype_labels)
        ordered = torch.as_tensor(
            values[:, [PHENOTYPE_NAMES.index(n) for n in labels]], dtype=self.model.dtype
        )
        weights = self.model._get_phenotype_blendshape_coefficients(ordered, *zeros)
        return weights[:, : len(self.model.stacked_phenotype_blend_shapes_mask)].numpy()[:, self.adult]

    def keep_adult_phenotypes(self, values: np.ndarray) -> np.ndarray:
        """Drop the blendshapes that phenotypes (N, 11) never use; which are kept."""
        self.adult = np.flatnonzero(self.phenotype_weights(values).max(0) > 0)
        self.phenotype = self.phenotype[self.adult]
        return self.adult


def random_adults(rng: np.random.Generator, count: int) -> np.ndarray:
    """Phenotypes (count, 11) over the whole range of adults."""
    values = rng.uniform(0, 1, (count, len(PHENOTYPE_NAMES)))
    values[:, 1] = rng.uniform(0.62, 1, count)
    values[:, 6:8] = 0.5
    values[:, 8:] = rng.dirichlet([0.5, 0.5, 0.5], count)
    return values


def phenotype_components(export: Export, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Principal components of adult phenotypes, and the matrix from blendshape weights to their scores."""
    weights = export.phenotype_weights(random_adults(rng, 2000))
    mean_weights = weights.mean(0)
    flat = export.phenotype.reshape(len(export.phenotype), -1)
    emphasis = np.where(export.base[:, 2] > BODY_BLOCK_BELOW, 1.0, 0.15).repeat(3)
    factor = (weights - mean_weights) / np.sqrt(len(weights))
    # The samples live in the span of few blendshapes: decompose in weight space, by the vertices' metric.
    metric = (flat * emphasis**2) @ flat.T
    root = np.linalg.cholesky(factor.T @ factor + 1e-14 * np.eye(len(metric)))
    values, vectors = np.linalg.eigh(root.T @ metric @ root)
    order = np.argsort(-values)[:COMPONENTS]
    deviation = np.sqrt(np.maximum(values[order], 1e-20))
    loadings = root @ vectors[:, order]  # component = loadings^T @ blendshapes, at unit-variance scores
    scores = metric @ loadings / deviation**2
    return {
        "template": export.base + (mean_weights @ flat).reshape(export.base.shape),
        "components": (loadings.T @ flat).reshape(COMPONENTS, *export.base.shape),
        "scores": scores,
        "offset": -mean_weights @ scores,
    }


def texture_masks(island: np.ndarray) -> np.ndarray:
    """anny's texture masks over the head's island, (M, MASK_SIZE, MASK_SIZE) bool, row 0 at the top."""
    textures = anny.paths.get_anny_root_dir() / "data/mpfb2/textures"
    (u0, v0), (u1, v1) = island
    masks = []
    for name in MASKS:
        image = Image.open(textures / f"mpfb_{name}.jpg").convert("L")
        width, height = image.size
        box = (u0 * width, (1 - v1) * height, u1 * width, (1 - v0) * height)
        grey = image.resize((MASK_SIZE, MASK_SIZE), Image.Resampling.BICUBIC, box=box)
        masks.append(np.asarray(grey) > 127)
    return np.stack(masks)


def build_identity_basis(
    shapes: ShapeModel,
    triangles: np.ndarray,
    parts: np.ndarray,
    rng: np.random.Generator,
    people: int,
    count: int,
) -> dict[str, np.ndarray]:
    """Tensors ``identity.mean``, ``identity.mixture`` and ``identity.variance`` from sampled people."""
    samples = [sample_shape(rng, shapes) for _ in range(people)]
    scores = np.stack([shapes.component_scores(sample.phenotype) for sample in samples])
    local = np.stack([sample.local for sample in samples])
    local_parts = np.stack([np.maximum(local, 0), np.maximum(-local, 0)], axis=2).reshape(people, -1)
    coefficients = np.concatenate([scores, local_parts], axis=1)
    mean_coefficients = coefficients.mean(0)
    coefficients -= mean_coefficients

    basis = np.concatenate([shapes.components, shapes.local.reshape(-1, *shapes.template.shape)])
    centre = shapes.template + np.tensordot(mean_coefficients.astype(np.float32), basis, 1)
    weights, face = face_weights(centre, triangles, parts, joints=6)
    generators = similarity_generators(centre)
    # aligned shape = shape - generators @ (least squares fit of the generators to it on the face)
    on_face = generators[:, face].reshape(7, -1)
    aligner = -np.linalg.lstsq(on_face.T, basis[:, face].reshape(len(basis), -1).T, rcond=None)[0]

    counted = weights > 0
    emphasis = weights[counted].repeat(3)
    aligned = basis[:, counted] + np.tensordot(aligner.T, generators[:, counted], 1)
    features = coefficients @ (aligned.reshape(len(basis), -1) * emphasis)
    variances, vectors = np.linalg.eigh(features @ features.T / people)
    order = np.argsort(-variances)[:count]
    unit_scores = vectors[:, order] * np.sqrt(people)
    mixture = unit_scores.T @ coefficients / people
    mixture = np.concatenate([mixture, mixture @ aligner.T], axis=1)
    return {
        "identity.mean": centre.astype(np.float32),
        "identity.mixture": mixture.astype(np.float16),
        "identity.variance": variances[order].astype(np.float32),
    }


def find_lids(mean: np.ndarray, faces: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Vertices that face each other on the lid margins, upper and lower, seen from the front, (2, P, 2)."""
    size, metres = 800, 0.2
    pixels = np.stack([(mean[:, 0] / metres + 0.5) * size, (0.5 - mean[:, 2] / metres) * size], axis=1)
    lashless = faces[(parts != Part.LEFT_LASHES) & (parts != Part.RIGHT_LASHES)]
    kept_parts = parts[(parts != Part.LEFT_LASHES) & (parts != Part.RIGHT_LASHES)]
    raster = rasterise(pixels, 1 / (mean[:, 1] + 1), lashless, size, size)
    shown = np.where(raster.mask, kept_parts[raster.triangle], 255)
    pairs = []
    for part in (Part.LEFT_EYE, Part.RIGHT_EYE):
        rows, columns = np.nonzero(shown == part)
        quantiles = np.quantile(columns, np.linspace(0.3, 0.7, 5)).astype(int)
        pairs.append(
            [
                [
                    _nearest_corner(raster, lashless, pixels, rows[columns == c].min() - 1, c),
                    _nearest_corner(raster, lashless, pixels, rows[columns == c].max() + 1, c),
                ]
                for c in quantiles
            ]
        )
    return np.array(pairs)


def _nearest_corner(raster: Raster, faces: np.ndarray, pixels: np.ndarray, row: int, column: int) -> int:
    corners = faces[raster.triangle[row, column]]
    return int(corners[np.linalg.norm(pixels[corners] - [column + 0.5, row + 0.5], axis=1).argmin()])


def anchors(model: Any) -> dict[str, np.ndarray]:
    return {name: np.asarray(model.anchors[name]) for name in PHENOTYPE_VARIATIONS if name != "race"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=DEFAULT_ASSET)
    parser.add_argument("--people", type=int, default=2400, help="samples for the identity basis")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    rng = np.random.default_rng(0)
    export = Export(load_anny())
    log.info("%d vertices, %d triangles", len(export.kept), len(export.faces))
    adult = export.keep_adult_phenotypes(random_adults(rng, 2000))
    phenotype = phenotype_components(export, rng)
    block = (export.base[:, 2] < BODY_BLOCK_BELOW).astype(np.uint8)
    anchor_values = anchors(export.model)
    tensors = {
        "block": block,
        "mesh.faces": export.faces.astype(np.uint16),
        "mesh.parts": export.parts.astype(np.uint8),
        "mesh.uv": export.uv.astype(np.float16),
        "mesh.uv_faces": export.uv_faces.astype(np.uint16),
        "mesh.skinning": np.rint(export.skinning() * 65535).astype(np.uint16),
        "mesh.island": export.island.astype(np.float32),
        "masks": np.packbits(texture_masks(export.island)),
        "shape.template": phenotype["template"].astype(np.float32),
        "phenotype.mask": export.model.stacked_phenotype_blend_shapes_mask.numpy()[adult].astype(np.uint8),
        "phenotype.scores": phenotype["scores"].astype(np.float32),
        "phenotype.offset": phenotype["offset"].astype(np.float32),
        **{f"phenotype.anchors.{name}": value.astype(np.float32) for name, value in anchor_values.items()},
        **pack_shapes("shape.components", phenotype["components"], block, coarsest=1.3e-5),
        **pack_shapes("shape.local", export.local.reshape(-1, *export.base.shape), block, coarsest=6e-5),
        **pack_shapes("expression", export.expression, block, coarsest=1e-4),
    }
    metadata = {
        "local_names": ",".join(export.local_names),
        "joint_names": ",".join(JOINTS),
        "mask_names": ",".join(MASKS),
        "anchor_names": ",".join(anchor_values),
        "source": f"anny {getattr(anny, '__version__', '')} (Apache-2.0), MakeHuman data (CC0)",
    }
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    save_asset(arguments.out, tensors, metadata)
    shapes = ShapeModel(arguments.out)
    basis = build_identity_basis(
        shapes, export.faces, export.parts, rng, arguments.people, IDENTITY_COMPONENTS
    )
    vertices = len(export.kept)
    basis["lids"] = find_lids(basis["identity.mean"][:vertices], export.faces, export.parts).astype(np.uint16)
    save_asset(arguments.out, {**tensors, **basis}, metadata)
    sizes: dict[str, int] = {}
    for name, value in {**tensors, **basis}.items():
        group = ".".join(name.split(".")[:2])
        sizes[group] = sizes.get(group, 0) + value.nbytes
    log.info("%s", {name: size // 1000 for name, size in sorted(sizes.items(), key=lambda item: -item[1])})
    log.info("%s: %.2f MB", arguments.out, arguments.out.stat().st_size / 1e6)


if __name__ == "__main__":
    main()
