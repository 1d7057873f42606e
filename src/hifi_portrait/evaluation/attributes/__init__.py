"""What a portrait shows (hair, glasses, clothes, beard, background, light, style), by a small classifier."""

from hifi_portrait.evaluation.attributes.classes import HEADS, Head, read_labels
from hifi_portrait.evaluation.attributes.reader import AttributeReader

__all__ = ["HEADS", "AttributeReader", "Head", "read_labels"]
