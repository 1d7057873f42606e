"""Synthetic people: imagine a person, dress and light them, take their photo with its exact truth."""

from hifi_portrait.synthetic.figure import Figure, Placement, gaze_in_head, photograph_figure
from hifi_portrait.synthetic.person import Person
from hifi_portrait.synthetic.photo_setup import PhotoSetup
from hifi_portrait.synthetic.photograph import Photograph, PhotoTruth, photograph
from hifi_portrait.synthetic.write import write_people

__all__ = [
    "Figure",
    "Person",
    "PhotoSetup",
    "PhotoTruth",
    "Photograph",
    "Placement",
    "gaze_in_head",
    "photograph",
    "photograph_figure",
    "write_people",
]
