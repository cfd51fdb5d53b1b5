"""A video U-Net whose image layers are those of another file: what is saved, what learns, and what is refused."""

import json

import pytest
import torch
from diffusers import UNet2DConditionModel, UNetSpatioTemporalConditionModel
from safetensors.torch import load_file

from common.models.inflated_model import InflatedUNet, as_image_model, at_spatial
from common.models.inflated_unet import new_parameters
from common.models.shipped import WEIGHTS, WeightsError
from common.zoo import shelf
from common.zoo.sprites_image.recipe import CHANNELS, UNET


def image_model(seed: int = 0) -> UNet2DConditionModel:
    torch.manual_seed(seed)
    return UNet2DConditionModel(**UNET | {"block_out_channels": CHANNELS["ci"], "sample_size": 4}).eval()


def shaken(model: InflatedUNet) -> InflatedUNet:
    """The model with other new weights, as training leaves them: the frozen half of the first layer is as it was."""
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for name, parameter in new_parameters(model).items():
            if parameter.requires_grad:
                change = 0.1 * torch.randn(parameter.shape, generator=generator)
                if name == "conv_in.weight":
                    change[:, :16] = 0
                parameter += change
    return model


def answer(model) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    x, states = torch.randn(2, 3, 32, 4, 4, generator=generator), torch.randn(2, 5, 384, generator=generator)
    with torch.no_grad():
        return model(x, torch.tensor([0.3, -0.4]), states, torch.tensor([[3.0, 60.0, 0.02], [7.0, 5.0, 0.1]])).sample


@pytest.fixture
def base(tmp_path):
    image_model().half().save_pretrained(tmp_path / "base")
    return tmp_path / "base"


def test_only_the_new_tensors_are_saved_and_the_base_gives_the_others(base, tmp_path):
    model = shaken(InflatedUNet.of(base, in_channels=32, num_frames=5)).half()
    model.save_pretrained(tmp_path / "new")
    assert set(load_file(tmp_path / "new" / WEIGHTS)) == set(new_parameters(model))
    found = InflatedUNet.from_pretrained(tmp_path / "new")
    assert not found.training and found.dtype == torch.float32 and found.config.num_frames == 5
    assert torch.equal(answer(found), answer(model.float().eval()))
    assert isinstance(shelf.from_pretrained(tmp_path / "new"), UNetSpatioTemporalConditionModel)
    with pytest.raises(TypeError, match="it takes dtype or torch_dtype; got subfolder"):
        InflatedUNet.from_pretrained(tmp_path / "new", subfolder="unet")


def test_other_weights_of_the_base_are_refused(base, tmp_path):
    InflatedUNet.of(base, in_channels=32, num_frames=5).save_pretrained(tmp_path / "new")
    image_model(seed=1).half().save_pretrained(base)
    with pytest.raises(WeightsError, match="belongs to other weights of"):
        InflatedUNet.from_pretrained(tmp_path / "new")


def test_what_is_missing_is_named(base, tmp_path):
    with pytest.raises(WeightsError, match="no shipped weights 'no-such'"):
        InflatedUNet.of("no-such", in_channels=32, num_frames=5)
    InflatedUNet.of(base, in_channels=32, num_frames=5).save_pretrained(tmp_path / "new")
    config = json.loads((tmp_path / "new" / "config.json").read_text())
    (tmp_path / "new" / "config.json").write_text(json.dumps(config | {"in_channels": 48}))
    with pytest.raises(WeightsError, match="does not hold the new weights"):
        InflatedUNet.from_pretrained(tmp_path / "new")


def test_a_model_without_a_file_for_its_base_is_saved_whole(tmp_path):
    model = shaken(InflatedUNet.of(image_model(), in_channels=32, num_frames=5)).eval()
    model.save_pretrained(tmp_path)
    assert set(load_file(tmp_path / WEIGHTS)) == set(model.state_dict())
    assert torch.equal(answer(InflatedUNet.from_pretrained(tmp_path)), answer(model))


def test_steps_move_the_new_layers_and_leave_the_image_model():
    unet = image_model()
    model = InflatedUNet.of(unet, in_channels=32, num_frames=3)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], 1e-2)
    x, states, ids = torch.randn(2, 3, 32, 4, 4), torch.randn(2, 5, 384), torch.tensor([[3.0, 60.0, 0.02]] * 2)
    for _ in range(4):
        optimizer.zero_grad()
        model(x, torch.tensor([0.1, 0.4]), states, ids).sample.square().mean().backward()
        optimizer.step()
    moved = {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])}
    assert moved == {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert moved == set(new_parameters(model)) - {"conv_in.bias"}
    assert torch.equal(model.conv_in.weight[:, :16], unet.conv_in.weight)


def test_without_what_is_new_it_is_the_image_model_and_at_spatial_no_frame_sees_another():
    unet = image_model()
    trained = shaken(InflatedUNet.of(unet, in_channels=32, num_frames=3)).eval()
    fresh = InflatedUNet.of(unet, in_channels=32, num_frames=3).eval()
    assert torch.allclose(answer(as_image_model(trained)), answer(fresh), atol=1e-5)
    assert not torch.allclose(answer(trained), answer(fresh), atol=1e-2)
    x, states, ids = torch.randn(1, 3, 32, 4, 4), torch.randn(1, 5, 384), torch.tensor([[3.0, 60.0, 0.02]])
    moved = x.clone()
    moved[:, 1] += torch.randn(32, 4, 4)
    for model, sees in ((trained, True), (at_spatial(trained), False)):
        with torch.no_grad():
            found, again = (model(clip, torch.tensor([0.3]), states, ids).sample for clip in (x, moved))
        assert torch.allclose(found[:, [0, 2]], again[:, [0, 2]], atol=1e-5) != sees
