import sys

from ganzo.cli import main

sys.exit(main())
