"""Files that are written whole or not at all, and the record that each picture carries of how it was made."""
