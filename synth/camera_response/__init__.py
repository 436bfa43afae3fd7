"""The five camera response models of LECARM: how scene light becomes brightness."""

from synth.camera_response.base import CameraResponse
from synth.camera_response.choose import MODELS, camera_response
from synth.camera_response.models import Beta, BetaGamma, Gamma, Preferred, Sigmoid

__all__ = [
    "MODELS",
    "Beta",
    "BetaGamma",
    "CameraResponse",
    "Gamma",
    "Preferred",
    "Sigmoid",
    "camera_response",
]
