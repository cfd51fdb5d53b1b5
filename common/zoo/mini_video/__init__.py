"""The default arm of the `mini` world: a transformer of 1.5 million weights on video latents."""
