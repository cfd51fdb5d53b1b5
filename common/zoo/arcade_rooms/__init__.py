"""`arcade-rooms`: a world model of the platformer `rooms`, played from its own frames."""
