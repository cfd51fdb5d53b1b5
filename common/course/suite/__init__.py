"""Running the course's own checks: what a change can affect, how long each part takes, and what 51 labs would take."""
