"""Frames that come one after the other: a model reads what it made before, and what is pressed now."""
