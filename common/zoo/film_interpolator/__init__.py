"""The small frame interpolator of film and sprites."""
