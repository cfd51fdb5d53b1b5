"""The parts of the loop, each against what can be worked out by hand."""

import math
import time

import pytest
import torch

from common.models.autoencoder import PRESETS, CausalVideoVAE
from common.training import KeyedNoise, Settings, TrainingError, checkpoint, with_settings
from common.training.batches import ahead, samples_of_step
from common.training.ema import Ema
from common.training.export import export
from common.training.recipe import adamw
from common.training.schedule import learning_rate_factor, set_learning_rate

SETTINGS = Settings(steps=11, batch_size=12, learning_rate=0.5)


class TestKeyedNoise:
    def test_a_sample_has_its_numbers_whatever_batch_it_is_in(self):
        whole = KeyedNoise(3, range(10)).normal("eps", (2, 5))
        parts = [KeyedNoise(3, part).normal("eps", (2, 5)) for part in ([0, 1, 2], [3], [4, 5, 6, 7, 8, 9])]
        assert torch.equal(whole, torch.cat(parts))
        backwards = KeyedNoise(3, [9, 0]).normal("eps", (2, 5))
        assert torch.equal(backwards, whole[[9, 0]])

    def test_the_order_of_the_draws_does_not_matter(self):
        first, second = KeyedNoise(3, [4, 5]), KeyedNoise(3, [4, 5])
        a = first.normal("eps", (7,)), first.uniform("s")
        b = second.uniform("s"), second.normal("eps", (7,))
        assert torch.equal(a[0], b[1]) and torch.equal(a[1], b[0])

    @pytest.mark.parametrize("other", [KeyedNoise(1, [4]), KeyedNoise(0, [5]), KeyedNoise(0, [2**40 + 4])])
    def test_another_seed_or_sample_has_other_numbers(self, other):
        assert not torch.equal(KeyedNoise(0, [4]).normal("eps", (5,)), other.normal("eps", (5,)))

    def test_another_name_has_other_numbers(self):
        noise = KeyedNoise(0, [4])
        assert not torch.equal(noise.normal("a", (5,)), noise.normal("b", (5,)))

    def test_it_is_noise(self):
        """Mean, variance and kurtosis of a normal distribution; nothing shared between neighbours or names."""
        noise = KeyedNoise(0, range(400))
        a, b = noise.normal("a", (500,)), noise.normal("b", (500,))
        assert abs(a.mean()) < 0.01 and abs(a.var() - 1) < 0.02 and abs((a**4).mean() - 3) < 0.1
        assert abs((a * b).mean()) < 0.01 and abs((a[:-1] * a[1:]).mean()) < 0.01
        u, n = noise.uniform("u", (500,)), noise.integers("n", 7, (500,))
        assert u.min() >= 0 and u.max() < 1 and abs(u.mean() - 0.5) < 0.005 and abs(u.var() - 1 / 12) < 0.002
        counts = torch.bincount(n.flatten(), minlength=7) / n.numel()
        assert len(counts) == 7 and (counts - 1 / 7).abs().max() < 0.005


class TestBatches:
    def test_every_sample_is_used_once_in_order(self):
        settings = with_settings(SETTINGS, {"micro_batches": "2", "first_sample": "100"})
        seen = [
            index
            for step in range(3)
            for rank in range(3)
            for part in samples_of_step(step, settings, rank, 3)
            for index in part
        ]
        assert seen == list(range(100, 136))
        assert {len(part) for part in samples_of_step(0, settings, 1, 3)} == {2}

    def test_a_batch_that_does_not_divide_is_refused(self):
        with pytest.raises(TrainingError, match=r"batch of 12 .* 5 processes x 1"):
            samples_of_step(0, SETTINGS, 0, 5)

    @pytest.mark.parametrize("num_ahead", [0, 1, 3, 50])
    def test_ahead_is_map(self, num_ahead):
        assert list(ahead(lambda k: k * k, range(20), num_ahead)) == [k * k for k in range(20)]
        assert list(ahead(lambda k: k, [], num_ahead)) == []

    def test_ahead_works_while_its_reader_does(self):
        loaded = []
        loading = ahead(lambda k: loaded.append(k) or k, range(6), 2)
        assert next(loading) == 0
        end = time.monotonic() + 10
        while loaded != [0, 1, 2] and time.monotonic() < end:
            time.sleep(0.01)
        assert loaded == [0, 1, 2]  # the one that was read, and two more; no more than that
        assert list(loading) == [1, 2, 3, 4, 5]

    def test_what_goes_wrong_while_loading_is_raised_where_it_is_read(self):
        loading = ahead(lambda k: 1 // (2 - k), range(5), 2)
        assert [next(loading), next(loading)] == [0, 1]
        with pytest.raises(ZeroDivisionError):
            next(loading)


class TestSchedule:
    def factors(self, **changes):
        settings = Settings(**{"steps": 11, "batch_size": 1, "learning_rate": 1.0, **changes})
        return [learning_rate_factor(step, settings) for step in range(settings.steps)]

    def test_warm_up_is_a_straight_line_that_never_stands_still(self):
        assert self.factors(warmup_steps=4, decay="none")[:6] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1, 1])

    def test_cosine_passes_the_middle_in_the_middle(self):
        factors = self.factors(final_learning_rate=0.2)
        assert [factors[0], factors[5], factors[10]] == pytest.approx([1, 0.6, 0.2])
        assert factors[2] == pytest.approx(0.2 + 0.8 * 0.5 * (1 + math.cos(math.pi * 0.2)))

    def test_linear_after_a_plateau(self):
        assert self.factors(decay="linear", decay_from=0.6) == pytest.approx([1] * 7 + [0.75, 0.5, 0.25, 0])

    def test_each_group_keeps_its_own_rate(self):
        parameters = [torch.nn.Parameter(torch.zeros(2)) for _ in range(2)]
        optimizer = torch.optim.SGD([{"params": [parameters[0]], "lr": 3.0}, {"params": [parameters[1]]}], lr=1.0)
        for factor in (0.1, 0.5):
            set_learning_rate(optimizer, factor)
        assert [group["lr"] for group in optimizer.param_groups] == [1.5, 0.5]


class TestEma:
    def test_it_is_the_sum_it_should_be(self):
        """With decays d0, d1, … the average of values v is worked out in plain numbers."""
        model, values = torch.nn.Linear(1, 1, bias=False), [5.0, -2.0, 7.0, 1.0]
        torch.nn.init.constant_(model.weight, 3.0)
        ema, expected = Ema(model, decay=0.2), 3.0
        for step, value in enumerate(values):
            torch.nn.init.constant_(model.weight, value)
            ema.update(model, step)
            decay = min(0.2, (1 + step) / (10 + step))
            expected = decay * expected + (1 - decay) * value
        assert ema.average["weight"].item() == pytest.approx(expected, rel=1e-6)
        assert [min(0.2, (1 + s) / (10 + s)) for s in range(4)][:2] == pytest.approx([0.1, 2 / 11])  # both parts used

    def test_the_model_gets_its_own_weights_back_bit_for_bit(self):
        model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
        ema = Ema(model, decay=0.9)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.randn_like(parameter))
        own = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        with pytest.raises(KeyError), ema.applied_to(model):
            assert not torch.equal(model[0].weight, own["0.weight"])
            raise KeyError  # whatever happens within
        assert all(torch.equal(own[name], tensor) for name, tensor in model.state_dict().items())

    def test_no_decay_is_no_average(self):
        model = torch.nn.Linear(3, 4)
        ema = Ema(model, decay=0.0)
        torch.nn.init.normal_(model.weight)
        ema.update(model, 5)
        assert torch.equal(ema.average["weight"], model.weight)


class TestSettings:
    def test_text_becomes_numbers(self):
        changed = with_settings(SETTINGS, {"steps": "7", "betas": "0.8,0.95", "learning_rate": "1e-3", "decay": "none"})
        assert (changed.steps, changed.betas, changed.learning_rate) == (7, (0.8, 0.95), 1e-3)
        assert changed.batch_size == SETTINGS.batch_size

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"stepps": "7"}, "no setting 'stepps'"),
            ({"steps": "many"}, "steps cannot be 'many'"),
            ({"steps": "0"}, "steps must be at least 1"),
            ({"precision": "fp8"}, "precision is 'fp8'"),
            ({"ema_decay": "1"}, "ema_decay"),
            ({"learning_rate": "nan"}, "learning_rate"),
        ],
    )
    def test_what_makes_no_sense_is_refused_in_words(self, changes, words):
        with pytest.raises(ValueError, match=words):
            with_settings(SETTINGS, changes)

    def test_only_matrices_are_decayed(self):
        model = torch.nn.Linear(3, 4)
        torch.nn.init.ones_(model.bias), torch.nn.init.ones_(model.weight)
        optimizer = adamw(model, with_settings(SETTINGS, {"weight_decay": "0.1"}))
        for parameter in model.parameters():
            parameter.grad = torch.zeros_like(parameter)
        optimizer.step()
        assert torch.equal(model.bias, torch.ones(4))
        assert torch.allclose(model.weight, torch.full((4, 3), 1 - 0.5 * 0.1))


class TestCheckpointNames:
    """A checkpoint is a file with exactly the name that `save` gives it; all else in the folder is the user's."""

    OWN = ("step_00000002_best.safetensors", "step_00000099_backup_of_30.safetensors", "step_9.safetensors",
           "step_best.safetensors", "step_000000099.safetensors", "step_00000099.SAFETENSORS.safetensors",
           "step_00000099 (copy).safetensors", "step_mine.partial", "step_00000001_kept.partial")  # fmt: skip

    def save(self, folder, step: int):
        state = checkpoint.Checkpoint(step, {"model.w": torch.full((3,), float(step))}, {"seconds": 1.0})
        return checkpoint.save(folder, state)

    def test_a_users_copies_are_neither_deleted_nor_resumed(self, tmp_path):
        first = self.save(tmp_path, 1)
        contents = {name: f"{name} is mine".encode() for name in self.OWN}
        contents["step_00000098_backup.safetensors"] = first.read_bytes()  # a good checkpoint under another name
        for name, content in contents.items():
            (tmp_path / name).write_bytes(content)
        (tmp_path / "step_00000097.safetensors").mkdir()
        for step in (2, 3, 4):
            self.save(tmp_path, step)
        assert {name: (tmp_path / name).read_bytes() for name in contents} == contents
        names = [path.name for path in checkpoint.files(tmp_path)]
        assert names == ["step_00000003.safetensors", "step_00000004.safetensors"]
        assert checkpoint.load_newest(tmp_path).step == 4

    def test_a_half_written_one_of_a_killed_training_goes(self, tmp_path):
        tmp_path.joinpath("step_00000001.partial").write_bytes(b"half")
        self.save(tmp_path, 2)
        assert not list(tmp_path.glob("*.partial"))

    def test_more_than_eight_digits_come_after_eight(self, tmp_path):
        for step in (99_999_999, 100_000_000):
            self.save(tmp_path, step)
        assert checkpoint.load_newest(tmp_path).step == 100_000_000

    def test_a_users_weights_beside_the_finished_ones_stay(self, tmp_path):
        for name in ("weights.old", "weights.partial"):
            (tmp_path / name).mkdir()
        model = CausalVideoVAE(**PRESETS["ci"])
        for _ in range(2):
            export(model, model.state_dict(), tmp_path / "weights")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["weights", "weights.old", "weights.partial"]
