"""The autoregressive arm of the `mini` world: a transformer of 1.5 million weights on tokens of `sprites-fsq`."""
