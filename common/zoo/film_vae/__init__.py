"""The causal video autoencoder of real clips."""
