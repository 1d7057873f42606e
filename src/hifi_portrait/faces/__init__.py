"""A photo -> Face: detection, landmarks, portrait crop, matte, recogniser embedding, quality."""

from typing import TYPE_CHECKING

from hifi_portrait.lazy import lazy_names

if TYPE_CHECKING:
    from hifi_portrait.faces.analyser import (
        MIN_CROP_SIDE,
        FaceAnalyser,
        analyse,
        analyse_all,
        default_analyser,
    )
    from hifi_portrait.faces.arcface import ArcFaceRecogniser
    from hifi_portrait.faces.detector import MediaPipeFaceDetector
    from hifi_portrait.faces.dlib_resnet import DlibResNet
    from hifi_portrait.faces.face import Face
    from hifi_portrait.faces.foreground import estimate_foreground
    from hifi_portrait.faces.image import IMAGE_SUFFIXES, MAX_PIXELS, ImageLike, load_image, source_name
    from hifi_portrait.faces.label_maps import region_mask
    from hifi_portrait.faces.labels import BARE_SKIN, FaceLabel
    from hifi_portrait.faces.landmarker import MediaPipeLandmarker
    from hifi_portrait.faces.matting import MediaPipeMatting
    from hifi_portrait.faces.onnx_matting import OnnxMatting
    from hifi_portrait.faces.parsing import LABEL_MAP_SIZE, NetworkParsing, default_parsing
    from hifi_portrait.faces.protocols import (
        Detection,
        FaceDetector,
        Landmarker,
        Matting,
        Parsing,
        Recogniser,
    )
    from hifi_portrait.faces.quality import FaceQuality, face_quality
    from hifi_portrait.faces.recogniser import DlibRecogniser, align_chip, chip_transform
    from hifi_portrait.faces.refined_matting import RefinedMatting, RefinementSettings, refine_matte
else:
    __getattr__ = lazy_names(
        __name__,
        {
            "analyser": ("MIN_CROP_SIDE", "FaceAnalyser", "analyse", "analyse_all", "default_analyser"),
            "arcface": ("ArcFaceRecogniser",),
            "detector": ("MediaPipeFaceDetector",),
            "dlib_resnet": ("DlibResNet",),
            "face": ("Face",),
            "foreground": ("estimate_foreground",),
            "image": ("IMAGE_SUFFIXES", "MAX_PIXELS", "ImageLike", "load_image", "source_name"),
            "label_maps": ("region_mask",),
            "labels": ("BARE_SKIN", "FaceLabel"),
            "landmarker": ("MediaPipeLandmarker",),
            "matting": ("MediaPipeMatting",),
            "onnx_matting": ("OnnxMatting",),
            "parsing": ("LABEL_MAP_SIZE", "NetworkParsing", "default_parsing"),
            "protocols": ("Detection", "FaceDetector", "Landmarker", "Matting", "Parsing", "Recogniser"),
            "quality": ("FaceQuality", "face_quality"),
            "recogniser": ("DlibRecogniser", "align_chip", "chip_transform"),
            "refined_matting": ("RefinedMatting", "RefinementSettings", "refine_matte"),
        },
    )

__all__ = [
    "BARE_SKIN",
    "IMAGE_SUFFIXES",
    "LABEL_MAP_SIZE",
    "MAX_PIXELS",
    "MIN_CROP_SIDE",
    "ArcFaceRecogniser",
    "Detection",
    "DlibRecogniser",
    "DlibResNet",
    "Face",
    "FaceAnalyser",
    "FaceDetector",
    "FaceLabel",
    "FaceQuality",
    "ImageLike",
    "Landmarker",
    "Matting",
    "MediaPipeFaceDetector",
    "MediaPipeLandmarker",
    "MediaPipeMatting",
    "NetworkParsing",
    "OnnxMatting",
    "Parsing",
    "Recogniser",
    "RefinedMatting",
    "RefinementSettings",
    "align_chip",
    "analyse",
    "analyse_all",
    "chip_transform",
    "default_analyser",
    "default_parsing",
    "estimate_foreground",
    "face_quality",
    "load_image",
    "refine_matte",
    "region_mask",
    "source_name",
]
