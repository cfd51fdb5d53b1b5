"""The arm of lab 04.5 with shifted-window attention: 65 thousand weights that name a motion."""
