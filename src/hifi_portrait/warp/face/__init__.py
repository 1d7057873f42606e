"""The parts of a face that need more than the mesh: eyes, mouth, teeth, ears."""
