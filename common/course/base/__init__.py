"""What every other package stands on: where files live, what a result is, how a notebook is read and written."""
