import sys

from ganzo.cli import deh

sys.exit(deh())
