"""The graders' toolkit: what a right answer may do, what a wrong one is told, and that no mistake is named falsely."""

import json
import types

import numpy as np
import pytest
import torch

from common.course.errors import AnswerKeyUsed
from common.course.graders import (
    Call,
    array,
    integers,
    judge,
    number,
    outcomes,
    record,
    stand_ins,
    tensor,
    theorems,
    values,
)

total = Call("total", takes={"clip": "b c t h w"}, gives=tensor("b t", torch.float32))
CLIP = values.noise(0, 2, 3, 4, 5, 6)


def truth(clip):
    return clip.double().sum(dim=(1, 3, 4))


def right(clip):
    return clip.float().sum(dim=(1, 3, 4))


def told(call, *args, **kwargs) -> str:
    """The message of the failure that must come."""
    with pytest.raises(AssertionError) as caught:
        call(*args, **kwargs)
    return str(caught.value)


def test_a_right_answer_passes_everything():
    lab = types.ModuleType("lab")
    lab.total = right
    total(lab, CLIP).near(truth(CLIP))
    theorems.owes(total, lab, CLIP, truth=truth, dtypes=(torch.float64,), meta=True)
    theorems.batch_is_samples(total, lab, CLIP)
    theorems.moves(total, lab, CLIP, change={"clip": (1, 2, 3)}, along="t", only=[3], because="time leaks")
    theorems.permutes(total, lab, CLIP, along="t", order=[2, 0, 3, 1], because="order matters")


def change_in_place(clip):
    clip *= 2
    return clip.sum(dim=(1, 3, 4)) / 2


def switch_gradients_off(clip):
    torch.set_grad_enabled(False)
    return right(clip)


def crash(clip):
    raise KeyError("h")


WRONG = {
    "changed the clip that it was given": change_in_place,
    "use `with torch.no_grad():`": switch_gradients_off,
    "your code raises KeyError: 'h'": crash,
    "should have the shape (b, t) = (2, 4), not (4, 2), whose axes are (t, b)": lambda clip: right(clip).T,
    "not (2,), whose axes are (b,)": lambda clip: right(clip).sum(dim=1),
    "should be float32, not float64": lambda clip: right(clip).double(),
    "is nan at b=0, t=0 (8 of 8 numbers)": lambda clip: right(clip) * np.nan,
    "returned a list. It should return a tensor": lambda clip: right(clip).tolist(),
    "returned None": lambda clip: None,
}


@pytest.mark.parametrize("message", WRONG)
def test_what_is_wrong_with_a_call_is_said(message):
    assert message in told(total, WRONG[message], CLIP)
    assert torch.is_grad_enabled()


def remembering():
    seen = []

    def answer(clip):
        seen.append(right(clip))
        return seen[0]

    return answer


def in_memory_order(clip):
    return torch.as_strided(clip, clip.shape, torch.empty(clip.shape).stride()).sum(dim=(1, 3, 4))


OWING = {
    "a second call with the same inputs": lambda: lambda clip, calls=[0]: calls.append(0) or right(clip) + len(calls),
    "not contiguous in memory": lambda: in_memory_order,
    "sample 0 of a batch alone": lambda: lambda clip: right(clip) - right(clip).mean(),
}


@pytest.mark.parametrize("message", OWING)
def test_what_every_function_owes_is_tried(message):
    assert message in told(theorems.owes, total, OWING[message](), CLIP)


def test_an_answer_that_is_not_written_keeps_its_status():
    def stub(clip):
        raise NotImplementedError

    def key(clip):
        raise AnswerKeyUsed.of("common.total")

    for answer, kind in ((stub, NotImplementedError), (key, AnswerKeyUsed)):
        with pytest.raises(kind):
            total(answer, CLIP)
        with pytest.raises(kind):
            total.refuses(answer, CLIP)


def test_the_answer_works_on_copies():
    """what a test goes on with is never what the answer could overwrite"""
    before = CLIP.clone()
    told(total, change_in_place, CLIP)
    assert torch.equal(CLIP, before)


double = Call("double", gives=number())


def test_a_mistake_is_named_only_where_it_explains_every_row():
    mistakes = {"you square": lambda x: x * x, "you add two": lambda x: x + 2}
    rows = [(2,), (3,), (5,)]
    double.table(lambda x: 2 * x, rows, lambda x: 2 * x, mistakes)
    assert told(double.table, lambda x: x * x, rows, lambda x: 2 * x, mistakes) == "double(3): you square"
    assert told(double.table, lambda x: x + 2, rows, lambda x: 2 * x, mistakes) == "double(3): you add two"
    said = told(double.table, lambda x: 9 if x == 3 else 2 * x, rows, lambda x: 2 * x, mistakes)
    assert said == "double(3) should be 6, not 9"  # 3 * 3 is 9 too, but the other rows are no squares


def test_no_mistake_is_named_on_a_right_value():
    double(lambda x: 4, 2).near(4.0, {"you square": 4.0})
    judge("it", torch.ones(3), torch.ones(3), {"all ones": torch.ones(3)})


def test_a_difference_is_shown_where_it_is():
    said = told(
        total(lambda clip: right(clip) + torch.diag(torch.tensor([1.0, 2.0, 0.0, 0.0]))[:2], CLIP).near, truth(CLIP)
    )
    assert " at b=1, t=1" in said and "(2 of 8 numbers are wrong)" in said
    assert "2 times what it should be" in told(total(lambda clip: 2 * right(clip), CLIP).near, truth(CLIP))
    assert told(judge, "it", 1.00000001, 1.0, tolerance=0) == "it should be 1, not 1.00000001"


def test_tensors_of_several_shapes_are_compared_one_by_one():
    levels = [torch.zeros(2, 4), torch.ones(2, 2)]
    judge("pyramid(x)", [levels[0], levels[1] + 1e-9], levels)
    judge("pyramid(x)", {"a": levels[0], "b": levels[1]}, {"a": levels[0], "b": levels[1]})
    assert "entry 1 of pyramid(x) should be 1 at [0, 0], not 3" in told(
        judge, "pyramid(x)", [levels[0], 3 * levels[1]], levels
    )
    assert "b of f(x)" in told(judge, "f(x)", {"a": levels[0], "b": levels[0]}, {"a": levels[0], "b": levels[1]})
    assert "should be [a tensor of shape (2, 4), a tensor" in told(judge, "pyramid(x)", levels[:1], levels)


def test_refusals():
    refusing = Call("root", gives=number())

    def root(x):
        if x < 0:
            raise ValueError("no root")
        return x**0.5

    refusing.refuses(root, -2)
    assert "should raise ValueError, and it returned 2.0" in told(refusing.refuses, root, 4)
    assert "which does not name -2" in told(refusing.refuses, root, -2, names=-2)
    assert "it raises KeyError" in told(refusing.refuses, crash, -2)


def test_gradients_must_reach_every_input():
    product = Call("product", takes={"a": "n", "b": "n"}, gives=tensor("n"))
    a, b = values.noise(1, 5).requires_grad_(), values.noise(2, 5).requires_grad_()
    product(lambda a, b: a * b, a, b).gradients({"a": b, "b": a})
    assert "no gradient reaches b" in told(product(lambda a, b: a * b.detach(), a, b).gradients)
    assert "carries no gradient" in told(product(lambda a, b: (a * b).detach(), a, b).gradients)
    assert "with respect to a" in told(product(lambda a, b: a * b + a - a.detach(), a, b).gradients, {"a": b, "b": a})


def test_kinds():
    assert "round, then finish with .tolist()" in told(Call("f", gives=integers()), lambda: [1.5])
    assert "plain list" in told(Call("f", gives=integers()), lambda: (1, 2))
    assert "NumPy array" in told(Call("f", gives=array("n")), lambda: [1, 2])
    pair = Call("cell", takes={"x": "b c"}, gives=record("tuple", h=tensor("b c"), c=tensor("b c")))
    h, c = pair(lambda x: (x, 2 * x), torch.ones(2, 3))
    assert (h.value.sum(), c.value.sum()) == (6, 12)
    assert "tuple (h, c)" in told(pair, lambda x: x, torch.ones(4, 3))
    fresh = Call("f", takes={"x": "n"}, gives=tensor("n"), fresh=True)
    assert "shares memory with x" in told(fresh, lambda x: x[:], torch.ones(3))
    fresh(lambda x: x.clone(), torch.ones(3))


def test_numpy_views_with_negative_strides_are_tried():
    reverse = Call("mean", takes={"x": "n"}, gives=number())
    theorems.owes(reverse, lambda x: float(np.mean(x)), np.arange(5.0))
    said = told(theorems.owes, reverse, lambda x: float(torch.from_numpy(x).mean()), np.arange(5.0))
    assert "negative" in said


def test_an_iterator_is_tried_where_it_is_promised():
    count = Call("count", gives=number())
    theorems.owes(count, lambda names: len(list(names)), ["a", "b"], iterables=("names",))
    assert "your code raises TypeError" in told(theorems.owes, count, len, ["a", "b"], iterables=("obj",))


def calibration(folder, **changes):
    entry = {"measure": "loss", "better": "lower", "threshold": 0.5, "reference": [0.2, 0.3], "broken": {"x": [0.9]}}
    (folder / "calibration").mkdir(exist_ok=True)
    stored = {"seeds": [0, 1], "outcomes": {"trains": entry | changes}}
    (folder / "calibration" / "01_tiny.json").write_text(json.dumps(stored))
    return folder / "test_01_tiny.py"


def test_an_outcome_lies_between_two_measured_sides(tmp_path):
    outcome = outcomes.load(calibration(tmp_path))["trains"]
    outcome.judge("training", 0.4)
    said = told(outcome.judge, "training", 0.7)
    assert "should be at most 0.5" in said and "0.2 to 0.3" in said and "x: 0.9" in said
    for changes in ({"threshold": 0.25}, {"threshold": 0.95}, {"better": "higher"}):
        with pytest.raises(ValueError, match="does not part"):
            outcomes.load(calibration(tmp_path, **changes))


def test_stand_ins(monkeypatch):
    import time

    clock = stand_ins.Clock(tick=0.5).install(monkeypatch)
    start = time.perf_counter()
    clock.advance(2.0)
    assert time.perf_counter() - start == 2.5
    module = stand_ins.fill(torch.nn.Linear(3, 2), seed=1)
    assert all(parameter.abs().min() > 0 for parameter in module.parameters())
    recorder = stand_ins.Recorder(does=lambda x: x + 1)
    assert recorder(2) == 3 and recorder.calls == [((2,), {})]
    model = stand_ins.Affine(0.5, 2.0)
    assert torch.equal(model(torch.ones(2, 3), torch.tensor([1.0, 2.0])), torch.tensor([[2.5] * 3, [4.5] * 3]))


def test_an_answer_that_stops_on_another_device_fails_and_is_told_why():
    """An error would not say that the docstring's promise is broken."""

    def on_the_processor(clip):
        sums = torch.zeros(clip.shape[0], clip.shape[2])
        sums[:] = right(clip)
        return sums

    said = told(theorems.owes, total, types.SimpleNamespace(total=on_the_processor), CLIP, meta=True)
    assert "on another device it stops" in said and "device" in said


def test_a_generator_that_does_not_move_on_is_noticed():
    given = torch.Generator().manual_seed(3)
    theorems.moves_on("draw(g)", lambda g: torch.randn(4, generator=g), given)
    again = lambda g: torch.randn(4, generator=torch.Generator().manual_seed(g.initial_seed()))  # noqa: E731
    assert "the same numbers" in told(theorems.moves_on, "draw(g)", again, given)


def test_arithmetic_in_half_precision_is_told_from_one_rounding_at_the_end():
    blend = Call("blend", takes={"a": "n", "b": "n"}, gives=tensor("n", "same"))
    exact = lambda a, b: 0.3 * a - 0.7 * b  # noqa: E731
    once = types.SimpleNamespace(blend=lambda a, b: exact(a.float(), b.float()).to(a.dtype))
    a, b = values.noise(1, 500), values.noise(2, 500)
    theorems.rounds_once(blend, once, a, b, truth=exact)
    assert "last digits" in told(theorems.rounds_once, blend, types.SimpleNamespace(blend=exact), a, b, truth=exact)


class Film(stand_ins.Keeps, logs=("seeks",)):
    """A double with a log."""

    def __init__(self):
        self.seeks = []

    def seek(self, frame):
        self.seeks.append(frame)


def test_the_log_of_a_double_only_grows():
    """Whatever an answer does to it: to read a log is to get a copy."""
    film, other = Film(), Film()
    film.seek(3)
    film.seeks.clear(), list.clear(film.seeks), film.seeks.pop()
    film.seeks.append(5)
    film.seek(7)
    assert film.seeks == [3, 5, 7] and other.seeks == []
    with pytest.raises(AttributeError, match="seeks is a log"):
        film.seeks = []
    stand_ins.forget(film, "seeks")
    assert film.seeks == []


def test_a_log_ends_with_its_double():
    film, entries_of = Film(), vars(Film)["seeks"].entries_of
    film.seek(1)
    [logs] = [cell.cell_contents for cell in entries_of.__closure__]
    assert id(film) in logs
    number = id(film)
    del film
    assert number not in logs


def test_recorders_clocks_and_models_keep_their_logs_from_answers():
    recorder, clock, model = stand_ins.Recorder(), stand_ins.Clock(), stand_ins.Affine()
    recorder(1), clock(), model(torch.ones(2, 3))
    for log in (recorder.calls, clock.log, model.calls):
        assert len(log) == 1
        log.clear()
    assert len(recorder.calls) == len(clock.log) == len(model.calls) == clock.looks == 1
