"""Sphinx's settings; `build.py` runs it."""

from ganzo import __version__

project = "Ganzo"
author = "the authors of Ganzo"
release = version = __version__
extensions = ["myst_parser"]
exclude_patterns = ["_build"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = f"Ganzo {release}"
