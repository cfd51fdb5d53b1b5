import math

import pytest
import torch
from safetensors.torch import save_file

from common.models import open_sora
from common.models.open_sora import (
    COMPUTED,
    NAMES,
    PUBLISHED,
    convert_keys,
    count_parameters,
    empty_model,
    load_published,
    published_shapes,
    timestep_transform,
)
from common.models.stdit import STDiT


def published_state() -> dict[str, torch.Tensor]:
    """Names and shapes of the published file, on the meta device."""
    return {name: torch.empty(shape, device="meta") for name, shape in published_shapes().items()}


def test_the_published_names_become_all_of_ours_at_full_size():
    converted, ours = convert_keys(published_state()), empty_model().state_dict()
    assert {name: part.shape for name, part in converted.items()} == {name: part.shape for name, part in ours.items()}


def test_the_last_rows_are_put_in_our_order_and_turned():
    theirs = torch.arange(32.0)  # place p, channel c at 8 p + c
    ours = convert_keys({"final_layer.linear.bias": theirs})["patches_out.bias"]
    assert torch.equal(-ours.view(8, 4), theirs.view(4, 8).T)


def test_the_published_model_has_1208_9_million_numbers():
    count = count_parameters(PUBLISHED)
    assert count == sum(part.numel() for part in empty_model().parameters())
    assert round(count / 1e6, 1) == 1208.9


@pytest.mark.parametrize("changes", [{"has_fps": True}, {"num_text_tokens": 9}, {"depth": 1, "out_channels": 6}])
def test_small_models_are_counted_too(changes):
    config = {"in_channels": 3, "out_channels": 3, "dim": 24, "depth": 2, "num_heads": 2, "ffn_dim": 40}
    config |= {"text_dim": 7, "freq_dim": 8, "num_text_tokens": 0, "has_fps": False} | changes
    assert count_parameters(config) == sum(part.numel() for part in STDiT(**config).parameters())


def test_the_shift_keeps_the_ends_and_grows_with_area_and_length():
    t = torch.tensor([0.0, 0.25, 0.5, 1.0], dtype=torch.float64)
    assert torch.equal(timestep_transform(t, 512, 512, 1), t)
    r = math.sqrt(720 * 1280 / 512**2) * math.sqrt(51 // 17 * 5)
    assert torch.allclose(timestep_transform(t, 720, 1280, 51), r * t / (1 + (r - 1) * t))
    assert torch.equal(timestep_transform(t, 720, 1280, 51)[[0, 3]], t[[0, 3]])
    odds = lambda x: x / (1 - x)  # noqa: E731
    assert math.isclose(odds(timestep_transform(t, 512, 256, 17))[2], math.sqrt(0.5 * 5))
    assert math.isclose(odds(timestep_transform(t, 512, 512, 1, scale=3.0))[2], 3.0)


def test_short_clips_count_the_latents_of_a_causal_vae_and_no_length_gives_less_than_a_shorter_one():
    t = torch.tensor([0.5], dtype=torch.float64)
    lengths = [
        (timestep_transform(t, 512, 512, n) / (1 - timestep_transform(t, 512, 512, n))).item() for n in range(1, 60)
    ]
    squares = [round(odds**2, 6) for odds in lengths]
    assert squares[:9] == [1, 2, 2, 2, 2, 3, 3, 3, 3] and squares[15] == squares[16] == squares[32] == 5
    assert squares[33] == 10 and squares == sorted(squares)
    with pytest.raises(ValueError, match="at least 1"):
        timestep_transform(t, 512, 512, 0)


def test_every_part_of_a_name_is_in_the_published_file_and_others_are_refused():
    state = published_state()
    assert all(
        any(name.removesuffix(".weight").removesuffix(".bias").endswith(part) for name in state) for part in NAMES
    )
    assert COMPUTED[0] in state and convert_keys(dict.fromkeys(COMPUTED, state["rope.freqs"])) == {}
    with pytest.raises(ValueError, match=r"spatial_blocks\.3\.norm1\.weight"):
        convert_keys({"spatial_blocks.3.norm1.weight": torch.zeros(2)})


def test_the_real_file_would_load_in_pieces_and_what_is_missing_is_said(tmp_path, monkeypatch):
    small = {"dim": 12, "depth": 1, "num_heads": 2, "ffn_dim": 48, "text_dim": 8, "num_text_tokens": 3, "freq_dim": 8}
    monkeypatch.setattr(open_sora, "PUBLISHED", PUBLISHED | small)
    with pytest.raises(FileNotFoundError, match="OpenSora-STDiT-v3"):
        load_published(tmp_path)
    back = {mine: theirs for theirs, mine in NAMES.items()}
    state, draw = {}, torch.Generator().manual_seed(0)
    for name, tensor in empty_model().state_dict().items():
        *block, rest = name.partition(".") if not name.startswith(("spatial", "temporal")) else ("", "", name)
        head = ".".join(rest.split(".")[:2]) + "." if not block[0] else ""
        rest = rest.removeprefix(head) if head else name
        part = next(p for p in sorted(back, key=len, reverse=True) if rest == p or rest.startswith(f"{p}."))
        shape = (12, 4, 1, 2, 2) if name == "patches_in.weight" else tensor.shape
        state[head + back[part] + rest.removeprefix(part)] = torch.randn(shape, generator=draw)
    names = sorted(state)
    for k in range(2):
        save_file({name: state[name] for name in names[k::2]}, tmp_path / f"model-{k}.safetensors")
    model = load_published(tmp_path, torch.float32)
    assert not model.training and torch.equal(model.patches_in.weight, state["x_embedder.proj.weight"].flatten(1))
    given = torch.randn(2, 4, 3, 4, 6), torch.tensor([500.0, 20.0]), torch.randn(2, 3, 8)
    assert model(*given, fps=torch.tensor([24.0, 8.0])).sample.abs().min() > 0
    (tmp_path / "model-1.safetensors").unlink()
    with pytest.raises(ValueError, match="lacks"):
        load_published(tmp_path)
