"""The MMDiT of the world of pairs: 0.8 million weights that draw a small circle and a large one from a caption."""
