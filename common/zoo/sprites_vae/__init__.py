"""The causal video autoencoder of sprites and film."""
