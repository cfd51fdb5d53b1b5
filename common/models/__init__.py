"""Models. Each file holds one family, with its presets."""
