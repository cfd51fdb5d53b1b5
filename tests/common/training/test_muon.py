"""The optimiser that steps equally far in all directions, against torch's own and against what can be worked out."""

import runpy
import subprocess
from functools import partial
from pathlib import Path

import pytest
import torch

from common.training import Muon, Settings, muon
from common.training.muon import UPDATE_SIZE, orthogonal
from common.training.schedule import set_learning_rate

SETTINGS = Settings(steps=7, batch_size=4, learning_rate=0.02, weight_decay=0.1, betas=(0.9, 0.95))


@pytest.mark.parametrize("shape", [(5, 9), (9, 5), (6, 6)])
def test_on_matrices_it_is_the_muon_of_torch(shape):
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(shape, generator=generator)
    ours, theirs = (torch.nn.Parameter(start.clone()) for _ in range(2))
    peer = torch.optim.Muon(
        [theirs], lr=0.02, weight_decay=0.1, momentum=0.95, nesterov=True, adjust_lr_fn="match_rms_adamw"
    )
    optimizer = Muon([ours], [], lr=0.02, weight_decay=0.1)
    for _ in range(5):
        ours.grad = torch.randn(shape, generator=generator)
        theirs.grad = ours.grad.clone()
        optimizer.step()
        peer.step()
    way = (theirs - start).norm()
    assert way > 0.05 and (ours - theirs).norm() < 0.05 * way  # both round to bfloat16 inside, in another order


def test_gains_and_biases_get_the_adam_of_torch():
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(7, generator=generator)
    ours, theirs = (torch.nn.Parameter(start.clone()) for _ in range(2))
    peer, optimizer = torch.optim.Adam([theirs], lr=0.02, betas=(0.9, 0.95)), Muon([], [ours], lr=0.02)
    for _ in range(5):
        ours.grad = torch.randn(7, generator=generator)
        theirs.grad = ours.grad.clone()
        optimizer.step()
        peer.step()
    assert torch.allclose(ours, theirs, atol=1e-6)


def test_a_kernel_is_a_matrix_with_a_row_for_each_channel_out():
    generator = torch.Generator().manual_seed(0)
    kernel, matrix = (torch.nn.Parameter(torch.zeros(shape)) for shape in ((5, 3, 1, 3, 3), (5, 27)))
    kernel.grad = torch.randn(kernel.shape, generator=generator)
    matrix.grad = kernel.grad.flatten(1)
    Muon([kernel, matrix], [], lr=0.1).step()
    assert torch.allclose(kernel.flatten(1), matrix, atol=1e-6) and matrix.abs().min() > 0


def test_all_directions_count_about_the_same():
    """Singular values from 1 to 0.01 come out within a factor of two of each other, with the directions kept."""
    generator = torch.Generator().manual_seed(0)
    u, _ = torch.linalg.qr(torch.randn(24, 6, generator=generator))
    v, _ = torch.linalg.qr(torch.randn(6, 6, generator=generator))
    result = orthogonal(u @ torch.diag(torch.logspace(0, -2, 6)) @ v.T)
    values = torch.linalg.svdvals(result)
    assert values.min() > 0.6 and values.max() < 1.3
    inside = u.T @ result @ v  # almost diagonal: a direction in, the same direction out
    assert (inside - torch.diag(inside.diagonal())).abs().max() < 0.05


def test_a_step_is_as_long_as_promised_whatever_the_gradient():
    for scale in (1e-6, 1.0, 1e6):
        matrix = torch.nn.Parameter(torch.zeros(16, 40))
        matrix.grad = scale * torch.randn(16, 40, generator=torch.Generator().manual_seed(0))
        Muon([matrix], [], lr=1.0).step()
        assert float(matrix.detach().square().mean().sqrt()) == pytest.approx(UPDATE_SIZE, rel=0.25)


def test_who_is_trained_by_what():
    model = torch.nn.ModuleDict(
        {"first": torch.nn.Linear(3, 4), "middle": torch.nn.Linear(4, 5), "last": torch.nn.Linear(5, 2)}
    )
    optimizer = partial(muon, ends=("first", "last"))(model, SETTINGS)
    names = {parameter: name for name, parameter in model.named_parameters()}
    kinds = {group["kind"]: {names[p] for p in group["params"]} for group in optimizer.param_groups}
    assert kinds["muon"] == {"middle.weight"} and len(kinds["adam"]) == 5
    set_learning_rate(optimizer, 0.5)
    assert {group["lr"] for group in optimizer.param_groups} == {0.01}
    with pytest.raises(ValueError, match="frist"):
        muon(model, SETTINGS, ends=("frist",))
    with pytest.raises(ValueError, match="one axis"):
        Muon([model["first"].bias], [], lr=0.1)


def test_two_processes_share_the_work_and_come_to_the_same(tmp_path, python, elsewhere):
    script = Path(__file__).with_name("shared_muon.py")
    pair = [subprocess.Popen([*python, script, tmp_path, str(rank)], env=elsewhere) for rank in (0, 1)]
    try:
        assert [process.wait(timeout=200) for process in pair] == [0, 0]
    finally:
        for process in pair:
            process.kill()  # should one wait for the other in vain
    alone = runpy.run_path(str(script))["three_steps"]()
    first, second = (torch.load(tmp_path / f"{rank}.pt") for rank in (0, 1))
    for single, one, other in zip(alone, first, second, strict=True):
        assert torch.equal(one, other)
        assert torch.allclose(single, one, atol=1e-5)
