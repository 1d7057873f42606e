"""``python -m mmrgaze360.cli``."""

from mmrgaze360.cli.app import main

main()
