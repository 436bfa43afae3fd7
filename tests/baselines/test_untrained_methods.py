import cv2
import numpy as np
import pytest
import torch

from baselines import Bracket, WeightsError
from baselines.copy_reference import CopyReference
from baselines.invert_response import InvertResponse
from baselines.mertens import Mertens
from baselines.method import MethodError

EVS = (-1.5, 0.5, 2.5)


class PowerResponse:
    def brightness_transform(self, B, k):
        return B * k**0.8


def random_bracket(height=24, width=32, batch=1, levels=255, response=None):
    random = np.random.default_rng(0)
    images = random.integers(0, levels + 1, (batch, 3, 3, height, width)) / levels
    return Bracket(torch.from_numpy(images.astype(np.float32)), EVS, response)


def test_copy_is_the_reference_and_not_the_same_memory():
    bracket = random_bracket(batch=2)
    fused = CopyReference().fuse(bracket)
    assert torch.equal(fused, bracket.images[:, 1])
    fused.zero_()
    assert bracket.reference.any()


@pytest.mark.parametrize("levels", [255, 65535])
def test_inversion_is_exact_for_every_8_and_16_bit_value(levels):
    codes = torch.arange(levels + 1, dtype=torch.float64) / levels
    images = codes.float().expand(1, 3, 3, 1, -1)
    fused = InvertResponse().fuse(Bracket(images, EVS, PowerResponse()))
    expected = (codes * 2.0 ** (-0.5 * 0.8)).clamp(0, 1).float()
    assert torch.equal(fused[0, 0, 0], expected)


def test_inversion_takes_the_exposure_back():
    truth = torch.linspace(0.1, 0.6, 64, dtype=torch.float32).view(1, 1, 8, 8).expand(1, 3, 8, 8)
    mid = truth * 2.0 ** (0.5 * 0.8)
    images = torch.stack([truth, mid, truth], dim=1)
    fused = InvertResponse().fuse(Bracket(images, EVS, PowerResponse()))
    assert (fused - truth).abs().max() < 1 / 65535


def test_inversion_without_a_response_says_what_it_needs():
    with pytest.raises(MethodError, match="camera response"):
        InvertResponse().fuse(random_bracket())


def test_a_response_without_an_answer_gives_no_nan():
    class Hole(PowerResponse):
        def brightness_transform(self, B, k):
            return np.where(B > 0.5, np.nan, B * 9)

    fused = InvertResponse().fuse(random_bracket(response=Hole()))
    assert torch.isfinite(fused).all()
    assert fused.max() <= 1


def test_mertens_is_opencv_on_the_bytes():
    bracket = random_bracket(45, 37, batch=2)
    fused = Mertens().fuse(bracket)
    for scene, result in zip(bracket.images, fused, strict=True):
        as_bytes = [
            np.ascontiguousarray((one * 255).round().byte().permute(1, 2, 0).numpy())
            for one in scene
        ]
        expected = cv2.createMergeMertens().process(as_bytes).clip(0, 1)
        assert np.abs(result.permute(1, 2, 0).numpy() - expected).max() < 1e-6


def test_mertens_keeps_what_8_bit_would_lose():
    bracket = random_bracket(levels=65535)
    rounded = bracket.map(lambda images: (images * 255).round() / 255)
    assert (Mertens().fuse(bracket) - Mertens().fuse(rounded)).abs().max() > 1e-4


def test_a_method_without_weights_refuses_them(tmp_path):
    with pytest.raises(WeightsError, match="mertens takes no weights"):
        Mertens().load(tmp_path / "w.safetensors", torch.device("cpu"))
