"""`arcade-catch`: a world model of the ball game `catch`, small enough to train while you have a coffee."""
