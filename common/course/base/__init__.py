"""What every other package builds on: where files live, what a result is, how a notebook is read and written."""
