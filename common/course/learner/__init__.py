"""A learner's own things: the notebooks in `work/`, progress, hints, updates, and their parts inside the library."""
