"""``python -m hifi_portrait``: the command line."""

from hifi_portrait.cli.app import main

main()
