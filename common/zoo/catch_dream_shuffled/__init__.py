"""`catch-dream-shuffled`: the negative control of `catch-dream`, a world in which no key does anything."""
