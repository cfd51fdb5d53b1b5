"""Runs a lab's tests on an answer and says what came out; the pytest plugin itself is `common.course.plugin`."""
