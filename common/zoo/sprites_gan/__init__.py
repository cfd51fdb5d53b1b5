"""The small video GAN of a corner of the sprites' world."""
