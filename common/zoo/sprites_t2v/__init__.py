"""Text to video, and image to video, in the world of sprites."""
