"""The causal video autoencoder of lab 05.2 after its first minute of training."""
