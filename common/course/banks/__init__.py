"""The banks of wrong and right answers, and the proof that each grader tells them apart."""
