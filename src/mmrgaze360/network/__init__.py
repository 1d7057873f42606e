"""The networks of MMRGaze360, named as in the paper's abstract."""

from mmrgaze360.network.head import HeadNetwork, HeadNetworkConfig
from mmrgaze360.network.model import MMRGaze360
from mmrgaze360.network.scene import SceneNetwork, SceneNetworkConfig, SceneOutput

__all__ = [
    "HeadNetwork",
    "HeadNetworkConfig",
    "MMRGaze360",
    "SceneNetwork",
    "SceneNetworkConfig",
    "SceneOutput",
]
