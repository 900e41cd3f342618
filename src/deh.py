import sys
from ganzo.cli import deh

sys.exit(deh())  # noqa: D100, E702, I001
