import torch

from common.models.stdit import STDiT, STDiTBlock, close_temporal_blocks, frame_rotations, grid_features
from common.models.stdit_peer import pixart_block, pixart_forward

DIM, FRAMES, PLACES = 24, 3, 5


def lively(model: torch.nn.Module, seed: int = 0) -> torch.nn.Module:
    """The same with every weight drawn, in double precision."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.double().parameters():
            parameter.copy_(0.3 * torch.randn(parameter.shape, generator=generator))
    return model.eval()


def block_inputs(seed: int = 1) -> dict[str, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    normal = lambda *shape: torch.randn(shape, generator=draw, dtype=torch.float64)  # noqa: E731
    return {
        "x": normal(2, FRAMES, PLACES, DIM),
        "signal": normal(2, 6, DIM),
        "text": normal(2, 4, DIM),
        "rotation": frame_rotations(FRAMES, DIM // 2),
    }


def small(**changes) -> STDiT:
    sizes = {"in_channels": 3, "out_channels": 3, "dim": 24, "depth": 2, "num_heads": 2, "ffn_dim": 40, "text_dim": 7}
    return STDiT(**sizes | {"freq_dim": 8} | changes)


def model_inputs(num_frames: int = 3) -> list[torch.Tensor]:
    draw = torch.Generator().manual_seed(2)
    normal = lambda *shape: torch.randn(shape, generator=draw, dtype=torch.float64)  # noqa: E731
    return [normal(2, 3, num_frames, 4, 6), torch.tensor([900.0, 300.0]).double(), normal(2, 5, 7)]


def test_a_spatial_block_keeps_frames_apart_and_a_temporal_one_places():
    for temporal, axis in ((False, 1), (True, 2)):
        block, given = lively(STDiTBlock(DIM, 2, 40, temporal)), block_inputs()
        before = block(**given)
        given["x"] = given["x"].clone()
        given["x"].select(axis, 0).add_(torch.linspace(-1, 1, DIM))
        change = (block(**given) - before).abs().sum(-1)  # (B, T', S)
        assert change.select(axis, 0).min() > 1e-6, "all of what shares the axis sees it"
        assert change.select(axis, 1).max() == 0, "what does not share it sees nothing"


def test_frames_of_level_zero_take_their_rows_from_the_clean_signal():
    for temporal in (False, True):
        block, given = lively(STDiTBlock(DIM, 2, 40, temporal)), block_inputs()
        clean = torch.randn(2, 6, DIM, dtype=torch.float64, generator=torch.Generator().manual_seed(5))
        all_noisy = torch.ones(2, FRAMES, dtype=torch.bool)
        assert torch.allclose(block(**given, noisy=all_noisy, clean_signal=clean), block(**given))
        wanted = block(**given | {"signal": clean})
        assert torch.allclose(block(**given, noisy=~all_noisy, clean_signal=clean), wanted)
        if not temporal:
            some = torch.tensor([[False, True, True], [True, True, False]])
            mixed = torch.where(some[..., None, None], block(**given), wanted)
            assert torch.allclose(block(**given, noisy=some, clean_signal=clean), mixed)


def test_without_temporal_blocks_the_frames_are_independent():
    model, (x, timestep, text) = lively(small()), model_inputs()
    changed = x.clone()
    changed[:, :, 0] += 1.0
    reach = lambda: (model(changed, timestep, text).sample - model(x, timestep, text).sample).abs().amax((0, 1, 3, 4))  # noqa: E731
    assert reach()[1:].min() > 1e-6
    close_temporal_blocks(model)
    assert reach()[0] > 1e-6 and reach()[1:].max() == 0


def test_a_fresh_model_predicts_zero_and_learns():
    torch.manual_seed(0)
    model, given = small(has_fps=True, num_text_tokens=5), [part.float() for part in model_inputs()]
    sample = model(*given, fps=torch.tensor([4.0, 4.0])).sample
    assert sample.shape == given[0].shape and sample.abs().max() == 0
    model(*given, fps=torch.tensor([4.0, 4.0])).sample.sub(1).square().mean().backward()
    assert model.patches_out.weight.grad.abs().max() > 0


def test_padding_of_the_text_is_not_read():
    model, (x, timestep, text) = lively(small()), model_inputs()
    mask = torch.tensor([[True, True, True, False, False]] * 2)
    other = torch.where(mask[..., None], text, text + 9)
    assert torch.equal(model(x, timestep, text, mask).sample, model(x, timestep, other, mask).sample)


def test_each_place_of_a_frame_has_features_of_its_own():
    features = grid_features(3, 4, 24)
    assert features.shape == (12, 24) and len(features.unique(dim=0)) == 12
    assert torch.equal(features[0, :12], features[4, :12]), "places of one column share the first half"


def test_a_base_grid_stretches_places_over_every_size_of_frame():
    plain, stretched = grid_features(32, 32, 24), grid_features(32, 32, 24, base_grid=32)
    assert torch.equal(plain, stretched), "the size that places are counted in"
    half = grid_features(16, 16, 24, base_grid=32)
    assert torch.allclose(half, plain.view(32, 32, 24)[::2, ::2].reshape(-1, 24), atol=1e-5)
    wide = grid_features(3, 12, 8, base_grid=32).view(3, 12, 8)
    angle = torch.arange(12) * 32 / 12  # √36 is whole: 6 / 6 drops out
    assert torch.allclose(wide[1, :, 0], angle.sin(), atol=1e-5)
    assert torch.allclose(wide[:, 0, 4], (torch.arange(3) * 32 / 3).sin(), atol=1e-5)


def test_a_spatial_block_is_pixarts_with_qk_norm():
    block, given = lively(STDiTBlock(DIM, 2, 40)), block_inputs()
    x, signal, text = given["x"], given["signal"], given["text"]
    with torch.no_grad():
        theirs = pixart_forward(pixart_block(block), x, signal, text)
        assert torch.allclose(block(x, signal, text), theirs, atol=1e-6)
        block.attention.norm_q.weight.mul_(2)
        assert not torch.allclose(block(x, signal, text), theirs, atol=1e-2)
