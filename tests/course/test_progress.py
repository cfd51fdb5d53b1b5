"""The progress record: nothing is lost, nothing is fatal."""

import json
import multiprocessing
import os

import pytest

from common.course.base.results import Result
from common.course.learner import progress


@pytest.fixture
def course(tmp_path, monkeypatch):
    """An empty course folder; progress is kept under it."""
    (tmp_path / "tests" / "labs").mkdir(parents=True)
    monkeypatch.setenv("FLIPBOOK_ROOT", str(tmp_path))
    return tmp_path


def result(exercise, test, status="pass", points=1.0):
    return Result(test=test, title=test, exercise=exercise, status=status, points=points)


def saved(course):
    return json.loads((course / "work" / ".flipbook" / "progress.json").read_text())


def test_a_check_is_remembered_with_its_points(course):
    assert progress.record("01.2", [result("even", "a", points=2), result("even", "b", "fail", points=3)])
    even = progress.load()["labs"]["01.2"]["exercises"]["even"]
    assert (even["status"], even["earned"], even["points"], even["checks"]) == ("fail", 2, 5, 1)
    assert even["tests"] == {"a": "pass", "b": "fail"}
    assert "passed" not in even


def test_checking_one_exercise_leaves_the_others_alone(course):
    progress.record("01.2", [result("even", "a"), result("fps", "b", "todo")])
    before = progress.load()["labs"]["01.2"]["exercises"]["fps"]
    progress.record("01.2", [result("even", "a", "fail")])
    exercises = progress.load()["labs"]["01.2"]["exercises"]
    assert exercises["fps"] == before
    assert exercises["even"]["status"] == "fail"
    assert exercises["even"]["checks"] == 2


def test_a_pass_is_never_forgotten(course):
    progress.record("01.2", [result("even", "a")])
    first = progress.load()["labs"]["01.2"]["exercises"]["even"]["passed"]
    progress.record("01.2", [result("even", "a", "todo")])
    even = progress.load()["labs"]["01.2"]["exercises"]["even"]
    assert (even["passed"], even["status"], even["earned"]) == (first, "todo", 0)


@pytest.mark.parametrize(
    "found, status",
    [
        (["pass", "pass"], "pass"),
        (["pass", "todo"], "todo"),
        (["fail", "todo"], "fail"),
        (["fail", "error", "pass"], "error"),
        (["blocked", "pass"], "blocked"),
        (["timeout", "fail"], "timeout"),
    ],
)
def test_one_status_an_exercise(found, status):
    assert progress.status_of([result("e", str(i), s) for i, s in enumerate(found)]) == status


def record_many(name):
    for i in range(25):
        assert progress.record("01.2", [result(f"{name}-{i}", "t")])


def test_two_writers_lose_nothing(course):
    fork = multiprocessing.get_context("fork")
    writers = [fork.Process(target=record_many, args=(name,)) for name in ("kernel", "watch", "cli")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    expected = {f"{name}-{i}" for name in ("kernel", "watch", "cli") for i in range(25)}
    assert set(progress.load()["labs"]["01.2"]["exercises"]) == expected


@pytest.mark.parametrize("damage", ["{half a rec", "[]", '{"labs": 3}', '{"labs": {"01.2": []}}', "\x00"])
def test_a_damaged_file_is_set_aside_and_kept(course, damage):
    progress.file().write_text(damage)
    assert progress.load() == progress.empty()
    assert progress.record("01.2", [result("even", "a")])
    assert "even" in saved(course)["labs"]["01.2"]["exercises"]
    aside = list(progress.file().parent.glob("progress.damaged-*.json"))
    assert [path.read_text() for path in aside] == [damage]


def test_a_file_that_an_editor_saved_with_a_byte_order_mark_is_no_damage(course):
    progress.record("01.2", [result("even", "a")])
    progress.file().write_text(progress.file().read_text(encoding="utf-8"), encoding="utf-8-sig")
    assert progress.damage() == "" and "even" in progress.load()["labs"]["01.2"]["exercises"]


GOOD = {"status": "pass", "points": 2, "earned": 2, "tests": {"a": "pass"}, "checks": 1, "hints": 1, "passed": "2026"}
ODD = {
    "status": [3, "done", None],
    "points": ["2", None, -1, float("nan"), True],
    "earned": [[], "x"],
    "hints": ["two", 1.5, None],
    "checks": [{}, "1"],
    "passed": [True, 3],
    "tests": [[], 3, {"a": 1}],
}


@pytest.mark.parametrize("field", ODD)
def test_a_field_of_another_type_is_left_out_and_the_rest_counts(course, field):
    """Of a record that was edited by hand everything that has the right shape stays, and `progress` says so."""
    assert progress.damage() == ""
    for number, value in enumerate(ODD[field]):
        record = {"labs": {"01.2": {"exercises": {"even": GOOD | {field: value}, "odd": GOOD, "none": 3}}, "01.3": []}}
        progress.file().write_text(json.dumps(record))
        exercises = progress.load()["labs"]["01.2"]["exercises"]
        rest = {name: kept for name, kept in exercises["even"].items() if name != field}
        assert rest == {name: kept for name, kept in GOOD.items() if name != field}
        assert exercises["even"].get(field, {}) == {} and exercises["odd"] == GOOD and set(exercises) == {"even", "odd"}
        assert "is not as it was written" in progress.damage()
        assert progress.record("01.2", [result("even", f"{number}")]) and progress.damage() == ""
        assert saved(course)["labs"]["01.2"]["exercises"]["odd"] == GOOD


def test_json_that_is_far_too_deep_is_damage(course):
    progress.file().write_text('{"labs": ' * 50_000)
    assert progress.load() == progress.empty() and "is not as it was written" in progress.damage()
    assert progress.record("01.2", [result("even", "a")])


def test_a_failed_write_is_not_fatal_and_leaves_the_old_record(course, monkeypatch):
    progress.record("01.2", [result("even", "a")])
    before = saved(course)

    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full_disk)
    assert progress.record("01.2", [result("fps", "b")]) is False
    assert saved(course) == before
    assert not list(progress.file().parent.glob("*.partial"))


def test_outside_a_checkout_nothing_is_recorded_and_nothing_breaks(tmp_path, monkeypatch):
    monkeypatch.setenv("FLIPBOOK_ROOT", str(tmp_path))
    assert progress.record("01.2", [result("even", "a")]) is False
    assert progress.load() == progress.empty()
    assert not (tmp_path / "work").exists()


def test_a_hung_writer_delays_a_check_but_does_not_stop_it(course, monkeypatch):
    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setattr(progress, "LOCK_SECONDS", 0.1)
    with open(progress.file().with_name("progress.lock"), "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert progress.record("01.2", [result("even", "a")])
    assert "even" in saved(course)["labs"]["01.2"]["exercises"]
