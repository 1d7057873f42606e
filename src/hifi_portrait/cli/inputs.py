"""From command-line words to the library's objects: photos, an identity, a target, a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hifi_portrait.cli.options import LookOptions, ModelOptions, PoseOptions
from hifi_portrait.errors import IdentityError, ImageError, ModelError

if TYPE_CHECKING:
    from hifi_portrait.person.identity import Identity
    from hifi_portrait.person.target import Target
    from hifi_portrait.pipeline.pipeline import HiFiPortraitPipeline

IDENTITY_SUFFIX = ".safetensors"
"""Of the file that a saved identity is."""


def find_photos(paths: Sequence[Path]) -> list[Path]:
    """Find the photo files among `paths`; a folder stands for the photos directly in it, sorted by name.

    Raises
    ------
    ImageError
        If a path does not exist, a folder holds no photo, or nothing was given.
    """
    from hifi_portrait.faces import IMAGE_SUFFIXES

    photos: list[Path] = []
    for path in paths:
        if path.is_dir():
            found = sorted(p for p in path.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES and p.is_file())
            if not found:
                kinds = " ".join(sorted(IMAGE_SUFFIXES))
                raise ImageError(f"{path} has no photo in it: looked for files ending in {kinds}")
            photos += found
        elif path.exists():
            photos.append(path)
        else:
            raise ImageError(f"{path} does not exist: give photos, a folder of photos, or a saved identity")
    if not photos:
        raise ImageError("no photo given: name photos, a folder of photos, or a saved identity")
    return photos


def is_saved_identity(paths: Sequence[Path]) -> bool:
    """Tell whether `paths` are one saved identity rather than photos."""
    return len(paths) == 1 and paths[0].suffix.lower() == IDENTITY_SUFFIX


def reference_files(paths: Sequence[Path]) -> list[Path]:
    """Find the files that an identity is read from: the photos, or the one saved identity."""
    return list(paths) if is_saved_identity(paths) else find_photos(paths)


def load_identity(paths: Sequence[Path], recogniser: Path | None = None) -> Identity:
    """Load an identity from photos, folders of photos, or one saved identity file.

    Parameters
    ----------
    recogniser
        An ArcFace network's ONNX file, in place of the default recogniser; for photos only.

    Raises
    ------
    ImageError
        If a photo or the saved identity does not exist.
    IdentityError
        If `recogniser` is given with a saved identity.
    """
    from hifi_portrait.faces import ArcFaceRecogniser, FaceAnalyser
    from hifi_portrait.person.identity import Identity

    files = reference_files(paths)
    if is_saved_identity(paths):
        if recogniser is not None:
            raise IdentityError(
                f"--recogniser is for photos: {files[0]} was made with a recogniser already. Make it again "
                "with `hifi-portrait identity PHOTO... --recogniser`"
            )
        if not files[0].exists():
            raise ImageError(
                f"{files[0]} does not exist: save an identity there with `hifi-portrait identity`"
            )
        return Identity.load(files[0])
    analyser = FaceAnalyser(recogniser=ArcFaceRecogniser(recogniser)) if recogniser else None
    return Identity.from_photos(files, analyser=analyser)


def check_model(model: str | None, hifi: str | None = None) -> None:
    """Check that there is such a model, before any photo is analysed.

    Raises
    ------
    ModelError
        If `model` is neither a saved pipeline's folder, nor written like a hub id, nor a file with `hifi`;
        or `hifi` is given without it.
    """
    if hifi is not None and model is None:
        raise ModelError("--hifi needs the SDXL base model it goes with: give --model")
    if model is None or _could_be_hub_id(model):
        return
    if hifi is not None and Path(model).is_file():
        return
    if not (Path(model) / "model_index.json").is_file():
        raise ModelError(
            f"--model {model}: no saved pipeline there (a folder with a model_index.json), nor is it a hub id"
        )


def load_pipeline(
    model: str | None, device: str | None = None, *, hifi: str | None = None, dtype: str | None = None
) -> HiFiPortraitPipeline:
    """Load a pipeline without a progress bar of its own.

    Parameters
    ----------
    model
        Its folder or hub id; None for the bundled one.
    device
        Such as "cuda"; None for that where there is one, else the CPU.
    hifi
        Where HiFi-Net and the face networks are, if `model` is an SDXL base model.
    dtype
        Name of the weights' dtype; None for "float32".

    Raises
    ------
    ModelError
        If there is no such model, its files are damaged, or there is no such device.
    """
    check_model(model, hifi)
    import torch
    from safetensors import SafetensorError

    from hifi_portrait.cli.options import torch_dtype
    from hifi_portrait.pipeline.pipeline import HiFiPortraitPipeline

    try:
        pipe = HiFiPortraitPipeline.from_pretrained(model, hifi=hifi, torch_dtype=torch_dtype(dtype))
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{model or 'the bundled model'} cannot be loaded: {error}") from error
    pipe.set_progress_bar_config(disable=True)
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        moved: HiFiPortraitPipeline = pipe.to(device)
        return moved
    except (AssertionError, RuntimeError) as error:
        raise ModelError(f"--device {device}: the model cannot be put there: {error}") from error


def _could_be_hub_id(model: str) -> bool:
    parts = model.split("/")
    return len(parts) == 2 and all(part and part[0].isalnum() for part in parts) and not Path(model).exists()


def make_target(pose: PoseOptions, look: LookOptions | None = None) -> Target:
    """Make the target that the options ask for; what `pose.like` shows holds where nothing else is given."""
    from hifi_portrait.head import HeadPose
    from hifi_portrait.person.target import Target

    base = Target.from_photo(pose.like) if pose.like else Target()
    look = look or LookOptions()
    return base.replace(
        expression=base.expression if pose.expression is None else pose.expression,
        pose=HeadPose(
            yaw=base.pose.yaw if pose.yaw is None else pose.yaw,
            pitch=base.pose.pitch if pose.pitch is None else pose.pitch,
            roll=base.pose.roll if pose.roll is None else pose.roll,
        ),
        gaze=base.gaze if pose.gaze is None else pose.gaze,
        glasses=look.glasses,
        hair=look.hair,
        clothes=look.clothes,
    )


def portrait_record(
    files: Sequence[Path],
    identity: Identity,
    target: Target,
    settings: dict[str, Any],
    networks: ModelOptions,
    private: bool = False,
) -> dict[str, Any]:
    """Make the provenance record of a picture: by which weights, of whom, and what was requested.

    `private` leaves out the names and the hashes of the files.
    """
    from hifi_portrait.io.provenance import file_sha256, versions

    given = {
        "references": [{"name": file.name, "sha256": file_sha256(file)} for file in files],
        "dropped": [Path(photo.source).name for photo in identity.dropped],
    }
    return {
        "model": Path(networks.model).name if networks.model else "bundled",
        **({"hifi": Path(networks.hifi).name} if networks.hifi else {}),
        "target": target.to_dict(),
        "settings": settings,
        **({} if private else given),
        "versions": versions(),
        "synthetic": True,
    }
