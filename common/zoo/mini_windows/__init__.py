"""The arm of lab 04.5 with windowed attention: 65 thousand weights that name a motion."""
