"""The doubles of lab 09.5's grader: clocks that only tasks move, a layer as it was given, a formula of two weights."""

import pytest
import torch

from common.course.graders import fast_worlds
from common.diffusion.consistency import teacher_jump
from common.evaluation.latency import frame_pacing, measure_latency
from common.models.folded_world import fold_film


def test_only_tasks_move_the_clocks_and_the_log_has_all_that_happened():
    machine = fast_worlds.Machine()
    wall, cpu = machine.clocks().values()
    (task,) = machine.tasks([[0.5, 0.25]], [[0.1, 0.2]], fails=2).values()
    assert wall() == wall() == 50.0 and cpu() == 7.0
    task(), task()
    assert wall() == 50.75 and cpu() == pytest.approx(7.3)
    with pytest.raises(KeyError):
        task()
    assert [name for name, _ in machine.log] == ["wall"] * 2 + ["cpu"] + ["task 0"] * 2 + ["wall", "cpu", "task 0"]


def test_adapters_give_what_the_library_gives():
    seconds = torch.tensor([[9.0, 0.01, 0.03, 0.02]])
    assert fast_worlds.timed(measure_latency)(seconds, seconds / 2, 3, 1)[0].tolist() == pytest.approx([20, 29, 10])
    assert fast_worlds.Pair(frame_pacing)([20.0, 5.0], 4.0).tolist() == [40.0, 0.5]
    weights = torch.ones(2), torch.zeros(2), torch.full((4, 3), 0.5), torch.zeros(4)
    matrix, bias = fast_worlds.folded(fold_film)(*weights, 1)
    assert matrix.tolist() == weights[2].tolist() and bias.tolist() == [1, 1, 0, 0]


def test_the_teachers_way_in_double_precision_is_the_librarys():
    student, target, teacher = fast_worlds.nets()
    for x, sigmas in fast_worlds.started(0):
        due = fast_worlds.jumped(teacher, x, sigmas)
        torch.testing.assert_close(teacher_jump(teacher, x, sigmas).double(), due, rtol=1e-4, atol=1e-4)
        ends = [fast_worlds.jumped(net, x, sigmas) for net in (student, target)]
        assert not torch.allclose(ends[0], due) and not torch.allclose(*ends)
    with pytest.raises(AssertionError, match="one per sample"):
        teacher(torch.zeros(3, 2), torch.tensor(1.0))
