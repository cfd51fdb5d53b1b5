"""The preset decides where and how a run computes; the seed decides what it draws."""

import random

import numpy as np
import pytest
import torch

from common import runtime


def test_the_preset_is_cpu_unless_told(monkeypatch):
    monkeypatch.delenv("FLIPBOOK_PRESET", raising=False)
    assert runtime.preset() == "cpu"
    monkeypatch.setenv("FLIPBOOK_PRESET", "ci")
    assert runtime.preset() == "ci"


def test_an_unknown_preset_names_itself_and_the_known_ones(monkeypatch):
    monkeypatch.setenv("FLIPBOOK_PRESET", "fast")
    with pytest.raises(ValueError, match=r"'fast'.*ci, cpu, gpu"):
        runtime.preset()


def test_cpu_presets_compute_in_float32_on_the_cpu_even_where_there_is_an_accelerator(monkeypatch):
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: True)
    monkeypatch.setenv("FLIPBOOK_PRESET", "ci")
    assert runtime.device() == torch.device("cpu")
    assert runtime.dtype() == torch.float32


def test_the_gpu_preset_uses_the_accelerator_or_says_that_there_is_none(monkeypatch):
    monkeypatch.setenv("FLIPBOOK_PRESET", "gpu")
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: True)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda: torch.device("cuda"))
    assert runtime.device().type == "cuda"
    assert runtime.dtype() == torch.bfloat16
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: False)
    with pytest.raises(RuntimeError, match="no accelerator"):
        runtime.device()


def draw():
    return random.random(), float(np.random.rand()), float(torch.rand(()))


def test_one_seed_fixes_every_source_of_chance():
    first = runtime.seed_everything(7)
    numbers, own = draw(), torch.rand(3, generator=first)
    again = runtime.seed_everything(7)
    assert draw() == numbers
    assert torch.equal(torch.rand(3, generator=again), own)
    runtime.seed_everything(8)
    assert all(a != b for a, b in zip(draw(), numbers))


def test_the_generator_is_untouched_by_what_others_draw():
    expected = torch.rand(3, generator=runtime.seed_everything(7))
    generator = runtime.seed_everything(7)
    draw()
    assert torch.equal(torch.rand(3, generator=generator), expected)


def test_seeds_out_of_range_are_refused():
    with pytest.raises(ValueError, match="-1"):
        runtime.seed_everything(-1)


def test_threads(monkeypatch):
    before = torch.get_num_threads()
    try:
        assert runtime.limit_threads(2) == 2
        monkeypatch.setenv("FLIPBOOK_PRESET", "cpu")
        assert runtime.limit_threads() == 2
        monkeypatch.setenv("FLIPBOOK_PRESET", "ci")
        assert runtime.limit_threads() == 1
        with pytest.raises(ValueError, match="at least 1"):
            runtime.limit_threads(0)
    finally:
        torch.set_num_threads(before)
