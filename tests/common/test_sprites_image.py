"""The recipe of `sprites-image`: its prediction is that of Stable Video Diffusion, and a step lowers its own loss."""

import torch
from diffusers import EulerDiscreteScheduler

from common.data.sprites import is_held_out
from common.training.keyed_noise import KeyedNoise
from common.zoo.sprites_image.measures import measure
from common.zoo.sprites_image.recipe import JUDGED, KINDS, RECIPE, asked, compute_loss, denoise


class Constant(torch.nn.Module):
    """A network that gives one picture, whatever it is asked, and keeps what it was asked."""

    def __init__(self, v: torch.Tensor):
        super().__init__()
        self.v = v

    def forward(self, sample, timestep, states):
        self.sample, self.timestep = sample, timestep
        return type("Output", (), {"sample": self.v})


def test_the_estimate_is_that_of_diffusers_scheduler_for_the_same_prediction():
    scheduler = EulerDiscreteScheduler(
        prediction_type="v_prediction", timestep_type="continuous", use_karras_sigmas=True, sigma_min=0.1, sigma_max=9.0
    )
    scheduler.set_timesteps(5)
    x, v = torch.randn(2, 1, 16, 4, 4, generator=torch.Generator().manual_seed(0))
    for index in (0, 2, 4):
        sigma, timestep = scheduler.sigmas[index], scheduler.timesteps[index]
        scheduler._step_index = index
        due = scheduler.step(v, timestep, x).pred_original_sample
        model = Constant(v)
        assert torch.allclose(denoise(model, x, sigma[None], torch.zeros(1, 3, 384)), due, atol=1e-5)
        assert torch.allclose(model.timestep, timestep[None], atol=1e-5)
        assert torch.allclose(model.sample, x / (sigma**2 + 1).sqrt(), atol=1e-5)


def test_some_steps_on_one_batch_lower_its_loss():
    torch.manual_seed(0)
    model = RECIPE.build_model("ci")
    batch = {"latents": torch.randn(4, 16, 3, 4, 4), "states": torch.randn(5, 24, 384)}
    noise = lambda: KeyedNoise(0, range(4))  # noqa: E731
    optimizer, losses = torch.optim.AdamW(model.parameters(), 2e-3), []
    for _ in range(12):
        losses.append(compute_loss(model, batch, noise())["loss"])
        losses[-1].backward()
        optimizer.step()
        optimizer.zero_grad()
    assert losses[-1] < 0.8 * losses[0]


def test_the_prompts_of_a_kind_are_of_that_kind():
    assert all(is_held_out(scene.words) for scene in asked("held_out", 6))
    assert {scene.words.objects[0].size for scene in asked("large", 6)} == {"large"}
    assert {scene.words.objects[0].size for scene in asked("any", 12)} == {"large", "small"}
    assert not any(is_held_out(scene.words) for kind in ("large", "any") for scene in asked(kind, 12))


def test_measures_name_every_part_and_luck(monkeypatch):
    monkeypatch.setitem(measure.__globals__["SETTINGS"], "small", 2)
    torch.manual_seed(0)
    found = measure(RECIPE.build_model("cpu").eval(), "small")
    assert set(found) == {f"{side}{kind}/{name}" for side in ("", "shuffled/") for kind in KINDS for name in JUDGED}
    assert all(0 <= value <= 1 for value in found.values())
