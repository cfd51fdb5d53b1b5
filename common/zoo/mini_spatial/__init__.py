"""The arm of lab 04.5 with spatial-only attention: 65 thousand weights that name a motion."""
