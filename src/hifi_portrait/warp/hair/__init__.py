"""Hair: its volume over the scalp, where a picture shows it, and strands where no photo does."""
