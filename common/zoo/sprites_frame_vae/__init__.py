"""The frame-by-frame autoencoder of sprites and film: the 2D counterpart of `sprites-vae`."""
