"""Make examples/person: four photos of one person who does not exist, whom no training data shows."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from hifi_portrait.synthetic import Person, PhotoSetup, photograph

PERSON = 9_900_010
PHOTOS = (0, 1, 2, 3)
SIZE = 512

folder = Path(__file__).parent / "person"
folder.mkdir(exist_ok=True)
person = Person.sample(PERSON)
for number, photo in enumerate(PHOTOS, start=1):
    image = photograph(person, PhotoSetup.sample(PERSON * 100 + photo, style="photo"), SIZE).image
    Image.fromarray(image).save(folder / f"{number}.jpg", quality=90, optimize=True)
