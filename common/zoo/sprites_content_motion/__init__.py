"""What a clip shows and how it moves, held apart: a VAE of one large sprite."""
