"""Batch grading. What it can promise, and what it cannot.

A submission runs in a sandbox of its own: no network, no answers, no other submission, no grade book, no other process,
little memory and time. So nothing a student writes can read the answers or touch another's grade. But tests and student
code share one Python process: a student who studies this code may talk it into passing their own submission. That is
made hard (sealed tools, signed events, control tests that must fail) and seldom stays silent: who looks for stack
frames, raw memory or the grader's own functions gets a note in the grade book before it works. So look at the notebook
before a grade that matters, and always at one with a note.
"""
