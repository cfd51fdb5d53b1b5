"""Latents of 64 pixels to latents of 128, in the world of sprites."""
