"""The negative control of the small video GAN: the same without the judge for motion."""
