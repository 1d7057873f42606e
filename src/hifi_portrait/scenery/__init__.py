"""What is around a person: places with their light, walls, backdrops; and styles of pictures."""
