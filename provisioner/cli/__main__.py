"""``python -m provisioner.cli`` is ``provision``."""

from provisioner.cli.app import main

main(prog_name="provision")
