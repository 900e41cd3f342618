"""Ganzo: implement, train, compare and use generative adversarial networks."""

from ganzo.results import results as results

__version__ = "0.1.0"
