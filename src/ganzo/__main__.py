"""`python -m ganzo` is the command `ganzo`."""

import sys

from ganzo.cli import main

sys.exit(main())
