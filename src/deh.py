"""The command line of the old texts: `python src/deh.py …`."""

from ganzo.cli import deh

raise SystemExit(deh())
