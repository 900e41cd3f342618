"""Layers and small functions that networks and rooms share: no registry, no options."""
