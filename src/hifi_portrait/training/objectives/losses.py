"""Loss terms, and what pictures are turned into for them.

Pictures are (B, 3, H, W) in [-1, 1], and every term is a scalar, 0 where there is no error.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hifi_portrait.faces.dlib_resnet import CHIP_SIZE, DlibResNet


def multiscale_gradient_loss(a: Tensor, b: Tensor, scales: int = 3) -> Tensor:
    """Compare differences of neighbouring pixels: mean absolute errors, summed over halved ``scales``."""
    total = a.new_zeros(())
    for _ in range(scales):
        error = a - b
        total = total + (error[..., 1:] - error[..., :-1]).abs().mean()
        total = total + (error[..., 1:, :] - error[..., :-1, :]).abs().mean()
        a, b = F.avg_pool2d(a, 2), F.avg_pool2d(b, 2)
    return total


def ssim_loss(a: Tensor, b: Tensor, window: int = 7) -> Tensor:
    """Compute one minus the structural similarity (Wang et al. 2004), with a uniform window in pixels."""

    def mean(x: Tensor) -> Tensor:
        return F.avg_pool2d(x, window, stride=1)

    c1, c2 = (0.01 * 2) ** 2, (0.03 * 2) ** 2
    mean_a, mean_b = mean(a), mean(b)
    var_a, var_b = mean(a * a) - mean_a**2, mean(b * b) - mean_b**2
    covariance = mean(a * b) - mean_a * mean_b
    similarity = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    similarity = similarity / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))
    return 1 - similarity.mean()


def kl_loss(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Compute the Kullback-Leibler divergence of a diagonal Gaussian from the standard one, per element."""
    return 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).mean()


def area_errors(difference: Tensor, areas: int = 8) -> Tensor:
    """Average a difference (B, C, h, w) over ``areas`` x ``areas`` areas, and give the mean squares (B,)."""
    return F.adaptive_avg_pool2d(difference, areas).square().mean(dim=(1, 2, 3))


def pseudo_huber(error: Tensor, width: Tensor) -> Tensor:
    """Give about the square of an error below ``width``, and 2 ``width`` times the error above it."""
    narrow = width.clamp(max=1e6)
    bent = 2 * narrow**2 * ((1 + (error / narrow) ** 2).sqrt() - 1)
    return torch.where(width.isinf(), error.square(), bent)


def denoising_loss(
    prediction: Tensor,
    target: Tensor,
    weight: Tensor,
    importance: Tensor | None = None,
    width: Tensor | None = None,
) -> Tensor:
    """Average the squared errors of a prediction (B, C, h, w) with weights.

    Parameters
    ----------
    prediction, target
        (B, C, h, w).
    weight
        (B,) weight of each sample.
    importance
        (B, 1, h, w) above 0, how much an error counts in each place. Only ratios matter.
    width
        (B,) error beyond which it counts in proportion and not squared (the pseudo-Huber loss); infinite for
        squares alone.
    """
    error = prediction.float() - target.float()
    error = error.square() if width is None else pseudo_huber(error, width.view(-1, 1, 1, 1))
    error = error * weight.view(-1, 1, 1, 1)
    if importance is None:
        return error.mean()
    return (error * importance).mean() / importance.mean()


def landmark_band(landmark_image: Tensor, radius: int = 3) -> Tensor:
    """Dilate the contours of landmark images (B, 3, H, W) in [0, 1] to a band (B, 1, H, W), in pixels."""
    drawn = (landmark_image.amax(dim=1, keepdim=True) * 4).clamp(max=1)
    return F.max_pool2d(drawn, 2 * radius + 1, stride=1, padding=radius)


def landmark_band_loss(a: Tensor, b: Tensor, band: Tensor) -> Tensor:
    """Compare two pictures' gradients inside a band (B, 1, H, W) in [0, 1] around the landmarks' contours.

    A wrong expression, gaze or pose shows at the contours of lids, irises, lips, nose and jaw, as an edge
    that is missing, moved or too many. What is elsewhere does not count.
    """
    error = a - b
    horizontal = (error[..., 1:] - error[..., :-1]).abs() * band[..., 1:]
    vertical = (error[..., 1:, :] - error[..., :-1, :]).abs() * band[..., 1:, :]
    channels = a.shape[1]
    return (horizontal.sum() + vertical.sum()) / (2 * channels * band.sum()).clamp(min=1)


def align_chips(pictures: Tensor, transforms: Tensor, size: int = CHIP_SIZE) -> Tensor:
    """Cut the recogniser's aligned chips (B, 3, size, size) out of pictures, differentiably.

    Parameters
    ----------
    pictures
        (B, 3, H, W).
    transforms
        (B, 3, 3) from pixels of the picture to pixels of the chip, pixel centres at +0.5.
    size
        Side of the chips in pixels.
    """
    height, width = pictures.shape[-2:]
    places = torch.arange(size, device=pictures.device, dtype=torch.float32) + 0.5
    y, x = torch.meshgrid(places, places, indexing="ij")
    chip = torch.stack([x, y, torch.ones_like(x)], dim=-1)
    pixels = torch.einsum("bij,hwj->bhwi", torch.linalg.inv(transforms.float()), chip)[..., :2]
    scale = torch.tensor([2 / width, 2 / height], device=pictures.device)
    return F.grid_sample(
        pictures.float(), pixels * scale - 1, mode="bilinear", padding_mode="border", align_corners=False
    )


def embedding_loss(a: Tensor, b: Tensor, weight: Tensor) -> Tensor:
    """Average one minus the cosine of two sets of embeddings (B, D), with weights (B,)."""
    distance = 1 - F.cosine_similarity(a.float(), b.float(), dim=1)
    return (distance * weight).sum() / weight.sum().clamp(min=1)


class RecogniserFeatureLoss(nn.Module):
    """Difference of two pictures in the inner features of a face recogniser.

    The recogniser's residual blocks are convolutions, so that any crop of a face will do. Features are
    normalised over channels as in LPIPS (arXiv 1801.03924), with all weights 1.

    Parameters
    ----------
    recogniser
        It is frozen and put into evaluation mode.
    blocks
        Numbers of the residual blocks whose features count, in rising order.
    """

    def __init__(self, recogniser: DlibResNet, blocks: Sequence[int] = (2, 6, 9)) -> None:
        super().__init__()
        self.recogniser = recogniser.eval().requires_grad_(False)
        self.blocks = tuple(blocks)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Compute the loss of pictures ``a`` against ``b``; only ``a`` gets a gradient."""
        with torch.no_grad():
            target = self._features(b)
        return torch.stack(
            [((x - y) ** 2).sum(1).mean() for x, y in zip(self._features(a), target, strict=True)]
        ).sum()

    def _features(self, x: Tensor) -> list[Tensor]:
        x = ((x + 1) * 127.5 - self.recogniser.mean) / 256
        x = F.max_pool2d(self.recogniser.stem(x).relu(), 3, stride=2)
        features = []
        for place, block in enumerate(self.recogniser.blocks):
            x = block(x)
            if place in self.blocks:
                features.append(F.normalize(x.float(), dim=1))
            if place == self.blocks[-1]:
                break
        return features
