"""Two players: what each loss says, what a step moves and what it leaves alone, and a run that goes on exactly."""

import copy
import json
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from common.cli.train import find_recipe
from common.course.graders import outcomes
from common.training import TrainingError, read_log, train
from common.training import checkpoint as checkpoints
from common.training.adversarial import adversarial_step
from common.training.adversarial_losses import discriminator_hinge_loss, generator_hinge_loss, gradient_penalty
from common.zoo import weights_folder
from common.zoo.card import file_facts


def noise(*size, seed: int = 0) -> torch.Tensor:
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed))


# ------------------------------------------------------------------------------------------------ losses


def test_the_hinge_loss_against_torch():
    real, fake = 2 * noise(7, 2), 2 * noise(5, 2, seed=1)
    ones = torch.ones_like
    wanted = F.hinge_embedding_loss(real, -ones(real)) + F.hinge_embedding_loss(-fake, -ones(fake))
    assert torch.allclose(discriminator_hinge_loss(real, fake), wanted)


def test_beyond_the_margin_nothing_pulls():
    real, fake = torch.tensor([3.0, 0.5, -2], requires_grad=True), torch.tensor([-3.0, 0.5], requires_grad=True)
    discriminator_hinge_loss(real, fake).backward()
    assert torch.allclose(real.grad, torch.tensor([0.0, -1 / 3, -1 / 3]))
    assert torch.allclose(fake.grad, torch.tensor([0.0, 1 / 2]))


def test_the_generator_is_always_pulled():
    fake = torch.tensor([-9.0, 0, 9], requires_grad=True)
    generator_hinge_loss(fake).backward()
    assert torch.allclose(fake.grad, torch.full((3,), -1 / 3))


def test_losses_are_taken_in_float32():
    many = torch.full((5000,), 0.9996, dtype=torch.float16)
    assert discriminator_hinge_loss(many, -many).dtype == generator_hinge_loss(many).dtype == torch.float32


def test_the_penalty_of_a_plane_is_its_slope_squared():
    weight = noise(2, 3, 4).requires_grad_(True)
    penalty = gradient_penalty(lambda x: (x * weight).flatten(1).sum(dim=1), noise(5, 2, 3, 4))
    assert torch.allclose(penalty, weight.square().sum())
    (slope,) = torch.autograd.grad(penalty, weight)
    assert torch.allclose(slope, 2 * weight, atol=1e-5)


def test_the_penalty_by_finite_differences():
    torch.manual_seed(0)
    judge = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2)).double()
    real, h = noise(4, 3).double(), 1e-6
    steps = h * torch.eye(3, dtype=torch.float64)
    slopes = torch.stack([(judge(real + e) - judge(real - e)).sum(dim=1) / (2 * h) for e in steps], dim=1)
    assert torch.allclose(gradient_penalty(judge, real).double(), slopes.square().sum(dim=1).mean(), rtol=1e-5)
    assert all(p.grad is None for p in judge.parameters()) and not real.requires_grad


def test_nothing_to_judge():
    empty = torch.zeros(0, 2)
    for call in (
        lambda: discriminator_hinge_loss(empty, torch.zeros(2)),
        lambda: discriminator_hinge_loss(torch.zeros(2), empty),
        lambda: generator_hinge_loss(empty),
        lambda: gradient_penalty(torch.nn.Linear(2, 1), empty),
    ):
        with pytest.raises(ValueError, match="0, 2"):
            call()


# ------------------------------------------------------------------------------------------------ the step


class Game:
    """Two small players with their optimisers, and everything for a step."""

    def __init__(self, moves: int = 1):
        torch.manual_seed(0)
        self.generator = torch.nn.Sequential(torch.nn.Linear(2, 5), torch.nn.Tanh(), torch.nn.Linear(5, 3))
        self.judge = torch.nn.Sequential(torch.nn.Linear(3, 6), torch.nn.LeakyReLU(0.2), torch.nn.Linear(6, 1))
        players = zip((self.generator, self.judge), (0.1, 0.3))
        self.optimizers = [torch.optim.SGD(player.parameters(), lr=lr) for player, lr in players]
        self.real, self.latents = noise(4, 3, seed=2), noise(1 + moves, 7, 2, seed=3)

    def step(self, **options):
        return adversarial_step(self.generator, self.judge, self.optimizers, self.real, self.latents, **options)


def by_hand(generator, judge, real, latents, weight):
    """The same step with every gradient named: nothing accumulates anywhere."""
    with torch.no_grad():
        fake = generator(latents[0])
    loss = F.relu(1 - judge(real)).mean() + F.relu(1 + judge(fake)).mean()
    x = real.clone().requires_grad_(True)
    (slope,) = torch.autograd.grad(judge(x).sum(), x, create_graph=True)
    loss = loss + weight / 2 * slope.square().sum(dim=1).mean()
    for p, g in zip(judge.parameters(), torch.autograd.grad(loss, list(judge.parameters()))):
        p.data -= 0.3 * g
    for z in latents[1:]:
        loss = -judge(generator(z)).mean()
        for p, g in zip(generator.parameters(), torch.autograd.grad(loss, list(generator.parameters()))):
            p.data -= 0.1 * g


@pytest.mark.parametrize("weight", [0.0, 0.7])
@pytest.mark.parametrize("moves", [1, 3])
def test_two_steps_are_those_done_by_hand(moves, weight):
    game = Game(moves)
    generator, judge = copy.deepcopy(game.generator), copy.deepcopy(game.judge)
    for _ in range(2):
        measures = game.step(penalty_weight=weight)
        by_hand(generator, judge, game.real, game.latents, weight)
    for player, wanted in ((game.generator, generator), (game.judge, judge)):
        for p, q in zip(player.parameters(), wanted.parameters()):
            assert torch.allclose(p, q, atol=1e-6)
    assert not any(value.requires_grad for value in measures.values())
    assert (measures["penalty"] > 0) == (weight > 0)


def test_a_step_needs_latents_for_both():
    game = Game(moves=0)
    with pytest.raises(ValueError, match="got 1"):
        game.step()


# ------------------------------------------------------------------------------------------------ the training


@pytest.fixture(scope="module")
def gan_recipe():
    return find_recipe("sprites-gan")


def run(recipe, folder, **changes):
    _, settings = recipe.at("main", "ci")
    changes = {"steps": 6, "batch_size": 4, "log_every": 1, "checkpoint_every": 2} | changes
    weights = train(recipe, "ci", folder=folder, settings=replace(settings, **changes), quiet=True)
    lines = [{k: v for k, v in line.items() if not k.endswith("seconds")} for line in read_log(folder)]
    return weights, lines


@pytest.fixture(scope="module")
def quick(gan_recipe):
    """Without sheets and measures, which have nothing to say about the loop."""
    return replace(gan_recipe, measure=None, sheet=None)


def test_a_training_that_was_stopped_ends_in_the_same_weights(quick, tmp_path):
    """Bit for bit: both players' weights and optimisers, the running mean, the log."""
    whole, lines = run(quick, tmp_path / "whole")
    run(quick, tmp_path / "stopped")
    for path in checkpoints.files(tmp_path / "stopped" / "checkpoints")[1:]:
        path.unlink()  # as if it had been killed after step 4
    shutil.rmtree(tmp_path / "stopped" / "weights")
    resumed, again = run(quick, tmp_path / "stopped")
    assert again == lines and len(lines) == 6
    name = "diffusion_pytorch_model.safetensors"
    assert (resumed / name).read_bytes() == (whole / name).read_bytes()
    ends = [checkpoints.load(checkpoints.files(tmp_path / k / "checkpoints")[-1]) for k in ("whole", "stopped")]
    assert checkpoints.checksum(ends[0].tensors, "") == checkpoints.checksum(ends[1].tensors, "")
    players = {key.split("/")[0].split(".")[1] for key in ends[0].tensors if key.startswith("optimizer.")}
    assert players == {"generator", "discriminators"}


def test_the_discriminators_have_a_rate_of_their_own(quick, tmp_path):
    """With a rate near zero their weights stay where they were, and the generator's do not."""
    fresh = quick.build_model("ci")
    run(replace(quick, discriminator_rate=1e-12, build_model=lambda preset: copy.deepcopy(fresh)), tmp_path)
    end = checkpoints.load(checkpoints.files(tmp_path / "checkpoints")[-1]).tensors
    moved = {
        player: max(
            (end[f"model.{player}.{name}"] - p).abs().max() for name, p in getattr(fresh, player).named_parameters()
        )
        for player in ("generator", "discriminators")
    }
    assert moved["discriminators"] < 1e-9 < 1e-4 < moved["generator"]


def test_it_says_which_number_is_not_finite_and_keeps_the_last_checkpoint(quick, tmp_path):
    def breaks(model, optimizers, batch, noise):
        return quick.step(model, optimizers, batch, noise) | (
            {"generator": torch.tensor(float("nan"))} if 12 in noise.indices else {}
        )

    with pytest.raises(TrainingError, match=r"Step 3 of sprites-gan: generator not finite.*step_00000002"):
        run(replace(quick, step=breaks), tmp_path)


def test_a_batch_is_not_cut_up(quick, tmp_path):
    with pytest.raises(TrainingError, match="whole batches"):
        run(quick, tmp_path, micro_batches=2)


def test_the_recipe_as_it_is_measures_and_draws(gan_recipe, tmp_path):
    weights, lines = run(gan_recipe, tmp_path, steps=1)
    assert {"known", "coverage", "recall", "frames", "straightness"} <= set(lines[-1])
    assert (tmp_path / "sheets" / "step_00000001.png").stat().st_size > 1000
    assert type(gan_recipe.build_model("ci")).from_pretrained(weights).config.size == 20


def test_the_discriminators_judge_the_frame_they_are_told(gan_recipe):
    """The recipe's step as a function: the same noise, the same step; another sample's noise, another one."""
    from common.training import KeyedNoise

    pixels, losses = gan_recipe.data("ci").batch(range(4)), []
    torch.manual_seed(0)
    fresh = gan_recipe.build_model("ci")
    for indices in ((0, 1, 2, 3), (0, 1, 2, 3), (4, 5, 6, 7)):
        model = copy.deepcopy(fresh)
        optimizers = [torch.optim.SGD(p.parameters(), lr=0.1) for p in (model.generator, model.discriminators)]
        step = partial(gan_recipe.step, model, optimizers, pixels)
        losses.append(float(step(KeyedNoise(0, indices))["generator"]))
    assert losses[0] == losses[1] != losses[2]


LAB = Path(__file__).parents[2] / "labs" / "02_early_models"


def test_the_graders_threshold_lies_between_what_was_measured():
    """Of lab 02.3: five seeds of the reference reach it with room to spare, none of the players that do not learn."""
    outcome = outcomes.load(LAB / "test_03_tiny_video_gan.py")["step_trains"]
    assert len(outcome.reference) == 5 and 2 * max(outcome.reference) < outcome.threshold
    assert all(2 * outcome.threshold < min(distances) for distances in outcome.broken.values())


@pytest.mark.parametrize("measure", ["effective_modes", "coverage", "recall"])
def test_the_study_of_collapse_is_of_the_shipped_weights_and_shows_what_the_lab_says(measure):
    """Means over the seeds: without a brake the measure falls below half; the remedies end at twice that or more."""
    study = json.loads((LAB / "calibration" / "03_tiny_video_gan.json").read_text())["study"]
    assert study["weights"] == file_facts(weights_folder("sprites-gan"))["sha256"]
    curves = {arm: [[point[measure] for point in run] for run in runs.values()] for arm, runs in study["arms"].items()}
    assert all(len(runs) >= 3 for runs in curves.values())
    ends = {arm: sum(run[-1] for run in runs) / len(runs) for arm, runs in curves.items()}
    assert ends["no brake"] < curves["no brake"][0][0] / 2
    assert all(end >= 2 * ends["no brake"] + 0.1 for arm, end in ends.items() if arm != "no brake")
