"""Synthetic people: imagine a person, dress and light them, take their photo with its exact truth."""

from hifi_portrait.people.person import Person
from hifi_portrait.people.photo import Photo
from hifi_portrait.people.photograph import Photograph, PhotoTruth, photograph
from hifi_portrait.people.write import write_people

__all__ = ["Person", "Photo", "PhotoTruth", "Photograph", "photograph", "write_people"]
