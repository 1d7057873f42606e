"""``python -m hifi_portrait.apps``."""

from hifi_portrait.apps.cli import main

main()
