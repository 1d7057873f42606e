"""``python -m hifi_portrait.cli``."""

from hifi_portrait.cli.app import main

main()
