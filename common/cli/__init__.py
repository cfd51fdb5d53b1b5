"""Commands that need no course: they work from the installed wheel alone."""
