"""The causal video tokenizer of sprites and film: `sprites-vae` with finite scalar quantization."""
