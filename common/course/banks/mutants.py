"""Mutation testing of graders: every wrong answer of a bank must fail its tests, and every right one must pass.

Each wrong answer takes the place of its exercise's cell in the reference solution and is tried on the tests of its
exercise, the cheap ones first. It is killed when a test ends as *fail*, with the words that the answer asks for in the
failing messages. What is left of its tests does not run then. A crash, a hang or an unwritten answer is not a kill.

A right answer passes when every test of its exercise holds, and every test of the exercises that need it. Right answers
of different exercises share a trial, since all of them should pass. Where a shared trial fails, each of its answers is
tried alone.
"""

import ast
import contextlib
import gc
import importlib
import itertools
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace

from common.course.banks import trials
from common.course.banks.answers import Answer
from common.course.banks.trials import Bench, Run, Trial
from common.course.banks.verdicts import Verdict, judge
from common.course.base.paths import CourseError, Lab
from common.course.base.quick_start import uncollected
from common.course.base.results import Result
from common.course.checking import loader, runner

JOBS = 2
ANSWER_SECONDS = 30  # what one trial may take in all, before its process is killed


def prove(
    lab: Lab,
    bank: list[Answer],
    *,
    jobs: int = JOBS,
    answer_seconds: float = ANSWER_SECONDS,
    seed: int = 0,
    on_answer: Callable[[], object] = lambda: None,
) -> list[Verdict]:
    """Try every answer of one lab, and hand the verdicts back in the bank's order.

    Args:
        lab: the lab.
        bank: its answers.
        jobs: how many processes run side by side.
        answer_seconds: what one trial may take before its process is killed.
        seed: what the tests seed their random inputs with; no verdict may depend on it.
        on_answer: called after each answer that was tried.

    Raises:
        CourseError: the reference solution is not built, or does not pass its own grader.
    """
    cells = loader.read_cells(lab.notebook("solutions"))
    with uncollected():
        _warm_up(cells, lab)
    verdicts = []

    def work(tests: list[Result], run: Run | None) -> None:
        _freeze()
        proof = _Proof(cells, tests, Bench(lab, run, jobs, answer_seconds, seed))
        verdicts.extend(proof.verdicts(bank, on_answer))

    if trials.CAN_FORK:
        runner.hold(lab, work)
    else:
        with _kept_bytecode():
            tests = runner.expected_tests(lab)
        work(tests, None)
    return verdicts


class _Proof:
    """The reference solution with answers in place of its cells, on the tests that those answers must pass."""

    def __init__(self, cells: list[loader.Cell], tests: list[Result], bench: Bench):
        self.cells, self.tests, self.bench = cells, tests, bench

    def verdicts(self, bank: list[Answer], on_answer: Callable[[], object]) -> list[Verdict]:
        sound = [answer for answer in bank if not answer.malformed]
        self._try_reference()
        found = {answer: Verdict(answer, good=False, problem=answer.malformed) for answer in bank}
        for trial in self._tried(sound):
            for answer in trial.answers:
                found[answer] = judge(answer, trial.results, trial.broken, trial.seconds)
                on_answer()
        return [found[answer] for answer in bank]

    def _tried(self, sound: list[Answer]) -> Iterator[Trial]:
        """Every answer, tried. The shared trials are the longest and start first, so that both cores end together."""
        shared = sharing([answer for answer in sound if answer.kind == "right"])
        wrong = [(answer,) for answer in sound if answer.kind == "wrong"]
        again = []
        for trial in self.bench.try_all([self._trial(group) for group in [*shared, *wrong]]):
            if len(trial.answers) == 1 or trial.passed:
                yield trial
            else:
                again += trial.answers
        yield from self.bench.try_all([self._trial((answer,)) for answer in again])

    def _try_reference(self) -> None:
        """Prove that the tests hold for the reference, load what they load, and learn what they cost."""
        [reference] = self.bench.try_all([Trial((), self.cells, ())])
        _must_pass(self.bench.lab, reference)
        _import(reference.imported)
        # In steps of a tenth of a second, so that the order does not change from run to run.
        order = {result.test: round(result.seconds, 1) for result in reference.results}
        self.bench = replace(self.bench, order=order)

    def _trial(self, answers: tuple[Answer, ...]) -> Trial:
        """These answers in their cells; left out are the tests that belong to none of them."""
        cells = self.cells
        for answer in answers:
            cells = loader.replace_exercise(cells, answer.exercise, answer.code)
        asked = {test.test for answer in answers for test in tests_of(answer, self.tests)}
        return Trial(answers, cells, tuple(test.test for test in self.tests if test.test not in asked))


def tests_of(answer: Answer, tests: list[Result]) -> list[Result]:
    """The tests that an answer must pass: for a right one also those of the exercises that need it."""
    exercises = {answer.exercise}
    if answer.kind == "right":
        exercises |= {test.exercise for test in tests if answer.exercise in test.needs}
    return [test for test in tests if test.exercise in exercises]


def sharing(right: list[Answer]) -> list[tuple[Answer, ...]]:
    """Right answers in groups, one of each exercise at most.

    An answer whose cell defines more than the exercise (a helper, an import) stays alone: another answer could come to
    depend on it.
    """
    rows: dict[str, list[Answer]] = {}
    alone = []
    for answer in right:
        if _defines_one_thing(answer.code):
            rows.setdefault(answer.exercise, []).append(answer)
        else:
            alone.append((answer,))
    groups = itertools.zip_longest(*rows.values())
    return [tuple(answer for answer in group if answer) for group in groups] + alone


def _defines_one_thing(code: str) -> bool:
    tree = ast.parse(code)
    body = tree.body[1:] if ast.get_docstring(tree) else tree.body
    return len(body) == 1 and isinstance(body[0], ast.FunctionDef | ast.ClassDef)


def _must_pass(lab: Lab, reference: Trial) -> None:
    failed = [f"{r.status}: {r.title}\n    {r.message}" for r in reference.results if not r.ok]
    if reference.broken or failed or not reference.results:
        what = reference.broken or "\n".join(failed) or "it has no tests"
        raise CourseError(
            f"the reference solution of {lab.id} does not pass its own grader, so no answer can be judged:\n{what}"
        )


def _warm_up(cells: list[loader.Cell], lab: Lab) -> None:
    """Load in this process what every answer will need, once."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    import torch

    torch.set_num_threads(1)  # a fork inherits no thread pool
    loader.load_cells(cells, lab.id)
    for name in loader.DEFERRED & sys.modules.keys():
        importlib.import_module(name)  # loads it in earnest; a second look at a deferred module would, in every child


def _import(names: list[str]) -> None:
    """Load here what the reference loaded along the way: else every child would, each for itself."""
    for name in names:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    _freeze()


def _freeze() -> None:
    """What is here now stays: without this each fork's garbage collector would copy all of it."""
    gc.collect()
    gc.freeze()


@contextlib.contextmanager
def _kept_bytecode() -> Iterator[None]:
    """The grader is compiled here, and every child finds it compiled, whatever the environment says about bytecode."""
    kept, sys.dont_write_bytecode = sys.dont_write_bytecode, False
    try:
        yield
    finally:
        sys.dont_write_bytecode = kept
