"""How good portraits are: drawn for a fixed list of requests, and measured by networks of other origin.

Shapes in docstrings are written with the letters of `hifi_portrait.head.arrays`, and with these:

======  =====================================================================
P       people of the list
R       requests of each person: targets, or prompts
S       seeds, each of which gives one picture of every request
K       reference photos of each person
N, M    pictures or photos, without order
D       length of an embedding or of features
F       signs of one quantity, such as of a smile
======  =====================================================================
"""

from hifi_portrait.errors import needs_extra

with needs_extra("eval"):
    import pyarrow  # noqa: F401  (of what the extra brings, this is needed throughout)
