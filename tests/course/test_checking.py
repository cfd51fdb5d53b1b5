"""Every answer gets one status, and the words that help; the kernel is left as it was."""

import pytest

from common.course import checking, loader


def statuses(results):
    return [r.status for r in results]


def test_right_answers_pass_and_earn_every_point(mini_course):
    results = checking.run_tests(mini_course.lab, submission=mini_course.write())
    assert statuses(results) == ["pass"] * 5
    assert sum(r.earned for r in results) == sum(r.points for r in results) == 9


def test_an_untouched_lab_scores_nothing_and_says_not_written(mini_course):
    results = checking.run_tests(mini_course.lab, submission=mini_course.lab.notebook("labs"))
    assert set(statuses(results)) == {"todo"}
    assert {r.message for r in results} == {"not written yet"}
