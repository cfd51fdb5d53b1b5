"""An image U-Net with layers along time: at first the image model, for any number of frames; its weights, its loss."""

import copy

import pytest
import torch
from safetensors.torch import load_file

from common.diffusion.video_loss import shift_sigma, video_denoise, video_loss
from common.layers.temporal import TemporalTransformerBlock
from common.layers.two_plus_one import TemporalAttention, TemporalLayer
from common.models.shipped import WeightsError
from common.models.video_unet import VideoUNet, as_pictures, inflate_unet
from common.pipelines.unet_text_to_video import UNetTextToVideoPipeline
from common.training import KeyedNoise
from common.zoo.sprites_unet_t2v import measures
from common.zoo.sprites_unet_t2v.recipe import MoreLarge, build_model, compute_loss, from_svd, mix, part_loss


def inputs(batch=2, frames=3):
    generator = torch.Generator().manual_seed(0)
    draw = lambda *size: torch.randn(*size, generator=generator)  # noqa: E731
    return draw(batch, 16, frames, 4, 4), 0.3 * draw(batch), draw(batch, 7, 384)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return build_model("ci").eval()


def grown(model):
    """A copy whose new layers do something."""
    copied, generator = copy.deepcopy(model), torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in copied.new_parameters().values():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return copied


@torch.no_grad()
def test_at_first_it_is_the_image_model_on_every_frame(model):
    x, level, states = inputs()
    found = model(x, level, states).sample
    alone = as_pictures(grown(model))
    for t in range(3):
        due = model(x[:, :, t : t + 1], level, states).sample
        assert torch.allclose(found[:, :, t : t + 1], due, atol=1e-5)
    assert torch.allclose(alone(x, level, states).sample, found, atol=1e-5)


@torch.no_grad()
def test_layers_that_have_learned_see_other_frames_and_their_own_prompt(model):
    x, level, states = inputs()
    learned = grown(model)
    before = learned(x, level, states).sample
    changed = x.clone()
    changed[0, :, 2] += 1
    moved = (learned(changed, level, states).sample - before).abs().amax(dim=(1, 3, 4))
    assert (moved[0] > 1e-4).all() and (moved[1] < 1e-6).all()
    told = states.clone()
    told[1] += 1
    moved = (learned(x, level, told).sample - before).abs().amax(dim=(1, 2, 3, 4))
    assert moved[0] < 1e-6 < 1e-4 < moved[1]


def test_only_what_is_new_learns_and_all_of_it_after_two_steps(model):
    learner = copy.deepcopy(model).train()
    assert {name for name, p in learner.named_parameters() if p.requires_grad} == set(learner.new_parameters())
    optimizer = torch.optim.SGD(learner.new_parameters().values(), 0.5)
    for _ in range(2):
        optimizer.zero_grad()
        x, level, states = inputs()
        learner(x, level, states).sample.square().mean().backward()
        optimizer.step()
    deaf = [name for name, p in learner.new_parameters().items() if p.grad is None or not p.grad.any()]
    assert not deaf


def test_weights_come_back_and_with_a_base_the_new_ones_alone(tmp_path):
    whole = VideoUNet.of("sprites-image", num_frames=5)
    changed = grown(whole)
    changed.save_pretrained(tmp_path)
    assert set(load_file(tmp_path / "diffusion_pytorch_model.safetensors")) == set(whole.new_parameters())
    again = VideoUNet.from_pretrained(tmp_path)
    assert again.config.num_frames == 5
    for name, tensor in changed.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor)
    config = tmp_path / "config.json"
    config.write_text(config.read_text().replace(whole.config.base_sha256, "0" * 64))
    with pytest.raises(WeightsError, match="belong to others of sprites-image"):
        VideoUNet.from_pretrained(tmp_path)


def test_a_fresh_one_saves_all(model, tmp_path):
    model.save_pretrained(tmp_path)
    again = VideoUNet.from_pretrained(tmp_path)
    assert all(torch.equal(again.state_dict()[name], tensor) for name, tensor in model.state_dict().items())


def test_an_image_model_without_blocks_is_refused(model):
    image = copy.deepcopy(model.unet)
    image.down_blocks, image.up_blocks, image.mid_block = torch.nn.ModuleList(), torch.nn.ModuleList(), None
    with pytest.raises(ValueError, match="neither"):
        inflate_unet(image, lambda block: block, lambda block: block)


@torch.no_grad()
def test_the_layers_of_svd_find_their_place():
    """A temporal layer with the weights of `sprites-svd` gives what its blender and its transformer block give."""
    torch.manual_seed(0)
    theirs, ours = TemporalTransformerBlock(24, 3, 10), TemporalLayer(24, 3, 10)
    for parameter in theirs.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    ours.load_state_dict(theirs.state_dict(), strict=False)
    ours.gate.fill_(0.7)
    torch.nn.init.zeros_(ours.positions[1].weight)
    torch.nn.init.zeros_(ours.positions[1].bias)
    x, context = torch.randn(2, 4, 3, 24), torch.randn(2, 5, 10)
    due = 0.3 * x + 0.7 * theirs(x, context)
    assert torch.allclose(ours(x, context), due, atol=1e-5)


def test_svds_numbers_are_taken_by_name():
    half = torch.tensor([0.0])  # of which the sigmoid is
    found = {
        "a.resnets.0.temporal_res_block.conv2.bias": torch.full((3,), 2.0),
        "a.resnets.0.time_mixer.mix_factor": half,
        "b.temporal_transformer_blocks.0.ff.net.2.bias": torch.ones(2),
        "b.time_mixer.mix_factor": half,
        "b.time_pos_embed.linear_2.bias": torch.arange(2.0),
    }
    assert mix(found, "b") == 0.5
    assert torch.equal(from_svd("unet.a.resnets.0.layer.temporal.conv2.bias", found), torch.ones(3))
    assert torch.equal(from_svd("unet.b.transformer_blocks.0.temporal.ff.net.2.bias", found), torch.ones(2))
    assert torch.equal(from_svd("unet.b.transformer_blocks.0.temporal.positions.1.bias", found), torch.arange(2.0))
    assert from_svd("unet.b.transformer_blocks.0.temporal.gate", found) == 0.5


@torch.no_grad()
def test_attention_is_torchs_own():
    torch.manual_seed(0)
    ours = TemporalAttention(12, 3).double()
    theirs = torch.nn.MultiheadAttention(12, 3, bias=True, batch_first=True).double()
    theirs.in_proj_weight.copy_(torch.cat([ours.to_q.weight, ours.to_k.weight, ours.to_v.weight]))
    theirs.in_proj_bias.zero_()
    theirs.out_proj.load_state_dict(ours.to_out[0].state_dict())
    x = torch.randn(2, 5, 4, 12).double()
    due = torch.stack([theirs(x[:, :, n], x[:, :, n], x[:, :, n])[0] for n in range(4)], dim=2)
    assert torch.allclose(ours(x), due, atol=1e-12)


def test_more_frames_get_more_noise():
    assert torch.allclose(shift_sigma(torch.tensor([1.0, 2.0]), 16, 4), torch.tensor([2.0, 4.0]))
    with pytest.raises(ValueError, match="at least one frame"):
        shift_sigma(torch.ones(1), 0)


@torch.no_grad()
def test_the_loss_is_that_of_the_denoiser(model):
    x0, _, states = inputs()
    eps, sigma, no = torch.randn_like(x0), torch.tensor([0.4, 2.0]), torch.zeros(1, 7, 384)
    nothing = torch.zeros(2, dtype=torch.bool)
    found = video_loss(model, x0, eps, sigma, states, no, nothing)
    level = sigma[:, None, None, None, None]
    error = (video_denoise(model, x0 + level * eps, sigma, states) - x0).square().flatten(1).mean(dim=1)
    assert torch.allclose(found, error * (sigma**2 + 1) / sigma**2, rtol=1e-4)
    with pytest.raises(ValueError, match="sigma is"):
        video_loss(model, x0, eps, sigma[:1], states, no, nothing)


def test_some_steps_on_one_batch_lower_its_loss():
    torch.manual_seed(0)
    learner, generator = build_model("ci"), torch.Generator().manual_seed(0)
    batch = {"latents": torch.randn(4, 16, 15, 4, 4, generator=generator), "states": torch.randn(5, 7, 384)}
    optimizer = torch.optim.AdamW(learner.new_parameters().values(), 5e-3)
    losses = []
    for _ in range(10):
        losses.append(compute_loss(learner, batch, KeyedNoise(0, range(4)))["loss"])
        optimizer.zero_grad()
        losses[-1].backward()
        optimizer.step()
    assert losses[-1] < 0.95 * losses[0]
    parts = [part_loss(learner, batch["latents"][part], batch["states"][:-1][part], batch["states"][-1:],
                       KeyedNoise(0, range(part.start, part.stop)), frames)
             for part, frames in ((slice(0, 2), 8), (slice(2, 4), 14))]  # fmt: skip
    again = compute_loss(learner, batch, KeyedNoise(0, range(4)))["loss"]
    assert torch.allclose(again, torch.cat(parts).mean())


def test_three_of_four_samples_are_large():
    class Numbers:
        key = "numbers"

        def batch(self, indices):
            return list(indices)

    found = MoreLarge(Numbers()).batch(range(8))
    assert [number % 2 for number in found] == [0, 0, 0, 1, 0, 0, 0, 1] and len(set(found)) == 8


def test_the_pipeline_draws_clips_of_any_length(model):
    from common.models.autoencoder import CausalVideoVAE
    from common.models.frame_vae import FrameVAE

    pipe = UNetTextToVideoPipeline(model, FrameVAE(CausalVideoVAE.from_pretrained("sprites-vae").float().eval()))
    prompts = ["a large red star moves left over a blue field"] * 2
    made = pipe(prompts, 3, 32, 32, num_inference_steps=2, generator=0)
    assert made.frames.shape == (2, 3, 3, 32, 32) and made.frames.abs().max() <= 1
    again = pipe(prompts[0], 3, 32, 32, num_inference_steps=2, generator=0, output_type="latent", return_dict=False)
    assert again[0].shape == (1, 16, 3, 4, 4)
    with pytest.raises(ValueError, match="latents are"):
        pipe(prompts[0], 3, 32, 32, latents=torch.zeros(1, 16, 2, 4, 4))


def test_content_is_constant_where_no_word_changes():
    from common.zoo.sprites_svd.recipe import asked

    clips = asked("large", 1).clips()
    still = clips[:, :, :1].expand(-1, -1, 4, -1, -1)
    other = torch.cat([still[:, :, :2], -still[:, :, :2]], dim=2)
    assert measures.content(still) == {"constant": 1.0, "flicker": 0.0}
    assert measures.content(torch.cat([still, other])) == {"constant": 0.5, "flicker": pytest.approx(1 / 6)}
