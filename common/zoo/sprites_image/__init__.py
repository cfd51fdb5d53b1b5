"""`sprites-image`: text to image in diffusers' own U-Net; phases 3 and 4 make video models of it."""
