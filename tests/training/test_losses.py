import numpy as np
import pytest
import torch

from hifi_portrait.faces.dlib_resnet import DlibResNet
from hifi_portrait.faces.geometry import cut_out, square_transform
from hifi_portrait.training.objectives import losses
from hifi_portrait.training.objectives.losses import align_chips, landmark_band


def images(batch=2, size=32, seed=0):
    return torch.rand(batch, 3, size, size, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.mark.parametrize("loss", [losses.multiscale_gradient_loss, losses.ssim_loss])
def test_image_losses_vanish_for_equal_images_only(loss):
    assert float(loss(images(), images())) == pytest.approx(0, abs=1e-6)
    assert float(loss(images(), images(seed=1))) > 0.1


def test_gradient_loss_does_not_see_brightness():
    assert float(losses.multiscale_gradient_loss(images(), images() + 0.2)) == pytest.approx(0, abs=1e-5)


def test_kl_is_that_of_the_formula():
    kl = losses.kl_loss(torch.tensor([2.0]), torch.tensor([1.0]))
    assert float(kl) == pytest.approx(0.5 * (4 + np.e - 1 - 1))


def test_kl_of_the_standard_normal_is_zero():
    zero = torch.zeros(2, 4, 3, 3)
    assert float(losses.kl_loss(zero, zero)) == 0
    assert float(losses.kl_loss(zero + 1, zero)) == pytest.approx(0.5)


def test_importance_moves_weight_but_not_the_scale_of_an_even_error():
    prediction, target = torch.ones(2, 4, 8, 8), torch.zeros(2, 4, 8, 8)
    importance = torch.ones(2, 1, 8, 8)
    importance[..., :4] = 4
    even = losses.denoising_loss(prediction, target, torch.ones(2), importance)
    assert float(even) == pytest.approx(1)
    prediction[..., 4:] = 0
    inside = losses.denoising_loss(prediction, target, torch.ones(2), importance)
    assert float(inside) == pytest.approx(4 / 5)


def test_band_loss_sees_edges_inside_the_band_only():
    target = torch.zeros(1, 3, 16, 16)
    moved = target.clone()
    moved[..., 2] = 1
    band = torch.zeros(1, 1, 16, 16)
    band[..., 1:4] = 1
    assert float(losses.landmark_band_loss(moved, target, band)) > 0.1
    assert float(losses.landmark_band_loss(moved, target, 1 - band)) < 0.03


def test_embedding_loss_leaves_out_samples_of_no_weight():
    a = torch.tensor([[1.0, 0], [0, 1]])
    b = torch.tensor([[0.0, 1], [0, 1]])
    assert float(losses.embedding_loss(a, b, torch.tensor([1.0, 1]))) == pytest.approx(0.5)
    assert float(losses.embedding_loss(a, b, torch.tensor([0.0, 1]))) == pytest.approx(0)
    assert float(losses.embedding_loss(a, b, torch.zeros(2))) == 0


def test_recogniser_loss_reaches_the_picture_but_not_the_recogniser():
    network = DlibResNet()
    loss = losses.RecogniserFeatureLoss(network)
    picture = images(1, 96).requires_grad_()
    loss(picture, images(1, 96, seed=1)).backward()
    assert picture.grad.abs().sum() > 0
    assert all(p.grad is None for p in network.parameters())


def test_chips_are_cut_as_the_recogniser_cuts_them():
    y, x = np.mgrid[:64, :64]
    picture = np.stack([x * 3, y * 3, (x + y) * 1.5], axis=-1).astype(np.uint8)
    transform = square_transform(np.array([30.0, 34.0]), 24.0, 150, angle=12)
    tensor = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 127.5 - 1
    chip = align_chips(tensor, torch.from_numpy(transform)[None])
    found = ((chip[0].permute(1, 2, 0) + 1) * 127.5).numpy()
    assert np.abs(found - cut_out(picture, transform, 150)).mean() < 1.5


def test_landmark_band_surrounds_what_is_drawn():
    drawn = torch.zeros(1, 3, 20, 20)
    drawn[0, 1, 10, 10] = 1
    band = landmark_band(drawn, radius=2)
    assert float(band[0, 0, 8:13, 8:13].min()) == 1
    assert float(band.sum()) == 25


def test_errors_beyond_a_width_count_in_proportion():
    prediction, target = torch.zeros(2, 1, 4, 4), torch.zeros(2, 1, 4, 4)
    ones, width = torch.ones(2), torch.tensor([0.5, torch.inf])

    def loss(error):
        return [
            float(losses.denoising_loss(prediction + error, target, keep, width=width)) * 2
            for keep in torch.eye(2)
        ]

    assert loss(0.01) == pytest.approx([1e-4, 1e-4], rel=1e-2)
    bent, squared = loss(50.0)
    assert squared == pytest.approx(2500) and bent == pytest.approx(2 * 0.5 * 50, rel=0.02)
    prediction.requires_grad_()
    losses.denoising_loss(prediction, target + 3, ones, width=width).backward()
    assert torch.isfinite(prediction.grad).all()
    assert prediction.grad[0].abs().max() < prediction.grad[1].abs().max()


def test_area_errors_see_colours_and_not_detail():
    difference = torch.zeros(2, 4, 32, 32)
    difference[0, 0, :8] = 1.0  # a quarter of one channel of four
    difference[1] = torch.rand(4, 32, 32).round() * 2 - 1
    colour, detail = losses.area_errors(difference)
    assert float(colour) == pytest.approx(1 / 16)
    assert float(detail) < 0.1 < float(difference[1].square().mean())
