"""The start page: the course at a glance and how far the learner has come, drawn as HTML."""
