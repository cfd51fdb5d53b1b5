"""Batch grading. What it can promise, and what it cannot.

A submission runs in a sandbox of its own: no network, no answers, no other submission, no grade book, no other process,
little memory and time. So nothing a student writes can read the answers or touch another's grade. But tests and student
code share one Python process. A hostile submission gets the marks that its answers earn, or is void, or has a note:

- `suspects` reads the code before it runs, and notes each step that is not in the lists of `ordinary`;
- `seal` compares what verdicts rest on with what was there before student code; `watch` reports stack, heap and memory;
- the worker repeats each pass with answers that raise, and `returns` takes plain values only;
- events are signed (`protocol`), and control tests that must fail stand between the others (`stage`).

None of this is a proof. Look at the notebook before a grade that matters, and always at one with a note.
"""
