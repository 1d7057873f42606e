"""A head baked once into a textured mesh, drawn in milliseconds and written as a GLB file."""

from hifi_portrait.baked.head import BakedHead

__all__ = ["BakedHead"]
