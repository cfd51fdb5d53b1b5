"""The picture model of lab 04.2: it knows six colours, and no motion."""
