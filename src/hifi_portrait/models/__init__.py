"""The networks: face encoder, face refiner, HiFi-Net, face attention, and alignment on the head's surface."""

from hifi_portrait.models.build import build, size_config, sizes
from hifi_portrait.models.face_attention import FaceAttention
from hifi_portrait.models.face_encoder import FaceEncoder, FaceTokens
from hifi_portrait.models.face_refiner import FaceRefiner, FeatureMaps
from hifi_portrait.models.hifi_net import HiFiCondition, HiFiNet

__all__ = [
    "FaceAttention",
    "FaceEncoder",
    "FaceRefiner",
    "FaceTokens",
    "FeatureMaps",
    "HiFiCondition",
    "HiFiNet",
    "build",
    "size_config",
    "sizes",
]
