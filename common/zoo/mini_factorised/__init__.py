"""The arm of lab 04.5 with factorised attention: 65 thousand weights that name a motion."""
