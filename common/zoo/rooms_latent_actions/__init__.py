"""`rooms-latent-actions`: a latent action model of the platformer `rooms`, trained without a single key."""
