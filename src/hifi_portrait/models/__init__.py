"""The networks: face encoder, face refiner, HiFi-Net, face attention, and alignment on the head's surface."""

from hifi_portrait.models.build import build, size_config, sizes
from hifi_portrait.models.face_attention import FaceAttention
from hifi_portrait.models.face_encoder import FaceEncoder, FaceTokens
from hifi_portrait.models.face_refiner import FaceRefiner, FeatureMaps
from hifi_portrait.models.hifi_condition import HiFiCondition
from hifi_portrait.models.hifi_files import load_hifi_parts, save_hifi_parts
from hifi_portrait.models.hifi_net import HiFiNet
from hifi_portrait.models.instantid import load_instantid
from hifi_portrait.models.patched_autoencoder import PatchedAutoencoder

__all__ = [
    "FaceAttention",
    "FaceEncoder",
    "FaceRefiner",
    "FaceTokens",
    "FeatureMaps",
    "HiFiCondition",
    "HiFiNet",
    "PatchedAutoencoder",
    "build",
    "load_hifi_parts",
    "load_instantid",
    "save_hifi_parts",
    "size_config",
    "sizes",
]
