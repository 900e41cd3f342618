import sys
from ganzo.cli import main

sys.exit(main())  # noqa: D100, E702, I001
