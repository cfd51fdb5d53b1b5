"""The parts of batch grading: what is believed, what is found, what the sandbox hides, what the reports say."""

import os
import random
import re
import struct
import sys
from pathlib import Path

import pytest

from common.course.base.paths import CourseError
from common.course.base.results import Result
from common.course.grading import protocol, sandbox, seccomp, stage, supervise

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnknownMarkWarning")
KEY = bytes(range(32))
TEST = Result("test_a", "a holds", "part", 2.0)


@pytest.fixture
def channel():
    """A teller, and a function that gives the raw bytes that it wrote."""
    readable, writable = os.pipe()
    os.set_blocking(readable, False)
    yield protocol.make_teller(writable, bytearray(KEY)), lambda: os.read(readable, 1 << 20)
    os.close(readable)
    os.close(writable)


def test_a_signed_event_arrives_as_it_was_sent(channel):
    tell, sent = channel
    tell("end", "test_a", "fail", 'words "quoted" \n ünïcode \ud800', [("label", "data")])
    got = protocol.EventReader(KEY).feed(sent())
    assert got == [["end", "test_a", "fail", 'words "quoted" \n ünïcode \ud800', [["label", "data"]]]]


def test_the_key_is_wiped():
    secret = bytearray(KEY)
    protocol.make_teller(1, secret)
    assert secret == bytes(32)


def test_changed_foreign_and_repeated_lines_are_noted_and_never_events(channel):
    tell, sent = channel
    tell("end", "test_a", "fail", "", [])
    line = sent()
    for forged in (line.replace(b"fail", b"pass"), b"x" * 64 + line[65:], b"[0]\n", b"\xff\xfe\n"):
        reader = protocol.EventReader(KEY)
        assert reader.feed(forged) == []
        assert reader.notes == ["results without a valid signature were written"]
    reader = protocol.EventReader(KEY)
    assert len(reader.feed(line)) == 1
    assert reader.feed(line) == []
    assert reader.notes == ["results were written a second time or out of order"]


def test_half_a_line_of_garbage_swallows_no_signed_one(channel):
    tell, sent = channel
    tell("ready")
    assert protocol.EventReader(KEY).feed(b"garbage without an end" + sent()) == [["ready"]]


def test_an_endless_line_counts_as_a_flood():
    reader = protocol.EventReader(KEY)
    reader.feed(bytes(protocol.MAX_LINE + 1))
    assert reader.flooded


def run_of(*events, controls=None) -> supervise.Run:
    run = supervise.Run({"test_a": TEST, "test_b": Result("test_b", "b holds", "part")}, controls or {})
    for event in events:
        run.take(*event)
    return run


@pytest.mark.parametrize(
    "events",
    [
        [("end", "test_a", "pass", "", [])],
        [("start", "test_a"), ("end", "test_b", "pass", "", [])],
        [("start", "test_a"), ("start", "test_b")],
        [("start", "test_a"), ("end", "test_a", "pass", "", []), ("end", "test_a", "pass", "", [])],
        [("start", "test_a"), ("end", "test_a", "pass", "", []), ("start", "test_a")],
        [("start", "test_a"), ("end", "test_a", "splendid", "", [])],
        [("start", "test_a"), ("end", "test_a", "blocked", "", [])],
        [("start", "test_unknown")],
        [("start", "test_a"), ("done",)],
        [("start",)],
        [("promote", "test_a")],
    ],
)
def test_events_that_contradict_each_other_void_everything(events):
    assert "contradict" in run_of(*events).broken


CONTROL = {"test_c": stage.Control("test_c", "tag:NYN.", "tag:NYNNY.")}


def passed(name):
    return [("start", name), ("end", name, "pass", "", [])]


def test_a_pass_counts_only_after_a_right_control():
    assert "test_a" not in run_of(*passed("test_a"), controls=CONTROL).confirmed
    right = [("start", "test_c"), ("end", "test_c", "fail", "tag:NYN.", [])]
    assert run_of(*passed("test_a"), *right, controls=CONTROL).confirmed["test_a"].ok
    wrong = [("start", "test_c"), ("end", "test_c", "fail", "tag:YYY.", [])]
    assert "test_a" not in run_of(*passed("test_a"), *wrong, controls=CONTROL).confirmed


def test_a_control_that_passes_and_cannot_voids_everything():
    assert "control" in run_of(*passed("test_a"), *passed("test_c"), controls=CONTROL).broken


def test_points_and_titles_come_from_the_tests_alone():
    run = run_of(("start", "test_a"), ("end", "test_a", "fail", "no\x1b[2J\x00", []))
    run.settle()
    got = run.confirmed["test_a"]
    assert (got.points, got.title, got.exercise, got.message) == (2.0, "a holds", "part", "no\ufffd[2J\ufffd")


def test_only_pictures_are_kept_as_pictures():
    png = "iVBORw0KGgo="
    pairs = [("fine", png), ('" onerror="alert(1)', 'x"><script>'), ("not one", "aGVsbG8=")]
    assert supervise._pngs([pairs[0]]) == [("fine", png)]
    assert supervise._pngs(pairs[1:]) == []


GRADER = """
import pytest

mark = pytest.mark.exercise

@mark("first")
@pytest.mark.parametrize("n", [1, 2])
def test_one(lab, n):
    assert lab

@mark("second")
def test_two(lab):
    assert lab

class TestMore:
    @mark("second")
    def test_three(self, lab):
        assert lab
"""


def test_controls_fail_with_the_words_that_whole_tools_give():
    tests = [Result("test_one[1]", "", "first"), Result("test_two", "", "second")]
    tests += [Result("TestMore::test_three", "", "second")]
    for number in range(40):
        text, controls = stage.with_controls(GRADER, tests, random.Random(number))
        assert len(controls) == 2
        space: dict = {}
        exec(compile(text, "grader", "exec"), space)
        for name, control in controls.items():
            with pytest.raises((AssertionError, pytest.fail.Exception)) as caught:
                space[name](None)
            assert control.answered("fail", str(caught.value), with_torch="torch" in sys.modules)
            assert not control.answered("pass", str(caught.value), with_torch="torch" in sys.modules)
        order = re.findall(r"(?m)^(?:def|class) (\w+)", text)
        assert order[0] == "test_one" and order[1] in controls and order[-1] in controls


def test_a_bent_tool_shows_in_the_words(monkeypatch):
    import torch

    monkeypatch.setattr(torch, "equal", lambda *tensors: True)
    answers = []
    for number in range(20):
        code, control = stage._control(random.Random(number))
        space: dict = {}
        exec(compile(code, "grader", "exec"), space)
        with pytest.raises((AssertionError, pytest.fail.Exception)) as caught:
            space[control.test](None)
        answers.append(control.answered("fail", str(caught.value), with_torch=True))
    assert 0 < sum(answers) < 20  # right only where the numbers are equal


def test_torch_is_loaded_for_whoever_may_use_it():
    assert not stage.needs_torch(["import math\nfrom common.course import check\nimport pytest\n"])
    for text in (
        "import torch",
        "  from torch.nn import functional",
        "import numpy as np",
        "from common.video import x",
    ):
        assert stage.needs_torch(["import math", text])


def decided(program: bytes, number: int, first_argument: int = 0, architecture: int = 0xC000003E) -> int:
    """What the kernel would answer: a reader of the few BPF instructions that the filter uses."""
    data = {0: number, 4: architecture, 16: first_argument}
    at, value = 0, 0
    while True:
        code, if_true, if_false, operand = struct.unpack_from("=HBBI", program, 8 * at)
        at += 1
        if code == seccomp.RETURN:
            return operand
        if code == seccomp.LOAD:
            value = data[operand]
            continue
        holds = {
            seccomp.JUMP_EQUAL: value == operand,
            seccomp.JUMP_AT_LEAST: value >= operand,
            seccomp.JUMP_ANY_BIT: bool(value & operand),
        }[code]
        at += if_true if holds else if_false


def test_the_filter_lets_threads_through_and_no_process():
    program = seccomp.program("x86_64")
    threads = 0x3D0F00
    assert decided(program, 56, threads) == seccomp.ALLOW
    for number, argument in ((56, 17), (56, 0x4111), (57, 0), (58, 0), (101, 0), (310, 0), (272, 0), (41, 0)):
        assert decided(program, number, argument) == seccomp.EPERM
    assert decided(program, 435) == decided(program, 1 | seccomp.X32_BIT) == seccomp.ENOSYS
    assert decided(program, 1, architecture=0x40000003) == seccomp.KILL
    assert decided(program, 0) == decided(program, 53) == seccomp.ALLOW  # 53: the pair that asyncio makes
    assert decided(seccomp.program("aarch64"), 220, 17, architecture=0xC00000B7) == seccomp.EPERM
    assert seccomp.program("riscv64") is None


def test_without_bubblewrap_grading_is_refused_with_the_way_out(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CourseError, match=r"(?s)bubblewrap.*--unsafe"):
        sandbox.Bubblewrap([])


def test_what_is_hidden_inside_a_mount_is_covered(tmp_path):
    (tmp_path / "lib" / "checkout").mkdir(parents=True)
    shown = {str(tmp_path / "lib"): "/usr/lib"}
    assert "/usr/lib/checkout" in sandbox._covered(shown, [tmp_path / "lib" / "checkout", tmp_path / "elsewhere"])


def test_no_mount_shows_the_checkout():
    here = Path(__file__).resolve().parents[2]
    mounts = sandbox._mounts([here])
    sources = [Path(mounts[i + 1]) for i, word in enumerate(mounts) if word == "--ro-bind"]
    site = [Path(folder) for folder in sandbox._site_folders()]
    shown = [source for source in sources if source.is_relative_to(here) and source not in site]
    assert shown == []
    assert any(word.endswith(".pth") for word in mounts)
