"""The same VAE without the split, to compare with."""
