"""The command line of the old texts: `python src/ganzo.py …`."""

from ganzo.cli import main

raise SystemExit(main())
