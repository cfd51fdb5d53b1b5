"""From sources to what is committed: executed solutions, fill-in labs with their checks, executed tutorials."""
