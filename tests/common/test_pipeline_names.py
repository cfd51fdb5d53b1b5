"""`from_pretrained` by a name: it uses what it is given or raises, and never builds untrained weights. Five seconds."""

import json

import pytest
import torch

from common.models.autoencoder import PRESETS as VAE_PRESETS
from common.models.autoencoder import CausalVideoVAE
from common.models.dit import PRESETS, VideoDiT
from common.models.shipped import WeightsError
from common.pipelines import TextToVideoPipeline


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FLIPBOOK_CACHE", str(tmp_path / "cache"))


def small_parts() -> dict:
    return {"transformer": VideoDiT(**PRESETS["ci"]), "vae": CausalVideoVAE(**VAE_PRESETS["ci"])}


def test_a_shipped_name_uses_the_parts_it_is_given():
    parts = small_parts()
    pipe = TextToVideoPipeline.from_pretrained("sprites-t2v", **parts)
    assert pipe.transformer is parts["transformer"] and pipe.vae is parts["vae"]
    pipe = TextToVideoPipeline.from_pretrained("sprites-t2v", transformer=parts["transformer"], dtype=torch.bfloat16)
    assert pipe.transformer is parts["transformer"] and pipe.transformer.dtype == torch.float32  # used as it is
    assert pipe.vae.dtype == torch.bfloat16


@pytest.mark.parametrize("name", ["dtype", "torch_dtype"])
def test_a_shipped_name_comes_in_the_dtype_that_is_asked_for(name):
    pipe = TextToVideoPipeline.from_pretrained("sprites-t2v", **{name: torch.float16})
    assert pipe.transformer.dtype == pipe.vae.dtype == torch.float16
    assert TextToVideoPipeline.from_pretrained("sprites-t2v").transformer.dtype == torch.float32


@pytest.mark.parametrize(
    "options, said",
    [
        ({"dtype": "float16"}, "'float16'"),
        ({"dtype": torch.float16, "torch_dtype": torch.float16}, "not both"),
        ({"tranformer": None}, "tranformer"),
        ({"revision": "main", "variant": "fp16"}, "revision, variant"),
        ({"transformer": None}, "got None"),
    ],
)
def test_an_option_without_effect_is_refused(options, said):
    with pytest.raises(ValueError, match=said):
        TextToVideoPipeline.from_pretrained("sprites-t2v", **options)


@pytest.mark.parametrize("kind", [TextToVideoPipeline, VideoDiT])
@pytest.mark.parametrize(
    "name, said",
    [
        ("sprites-vae", "CausalVideoVAE.*sprites-t2v"),
        ("digits-convlstm", "ConvLSTMPredictor.*sprites-t2v"),
        ("sprites-tv2", "did you mean sprites-t2v"),
        ("Sprites-T2V", "did you mean sprites-t2v"),
        ("no-such-thing-anywhere", "sprites-t2v"),
    ],
)
def test_a_wrong_name_says_so_and_builds_nothing(kind, name, said):
    with pytest.raises(WeightsError, match=said):
        kind.from_pretrained(name)


@pytest.mark.parametrize("kind", [TextToVideoPipeline, VideoDiT])
@pytest.mark.parametrize("name", ["other/sprites-t2v", "other/Sprites_T2V", "some/folder/sprites-t2"])
def test_an_owner_before_a_shipped_name_says_so_in_one_sentence(kind, name, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(WeightsError) as caught:
        kind.from_pretrained(name, local_files_only=True)
    said = str(caught.value)
    assert repr(name) in said and "called sprites-t2v, without an owner" in said and "\n" not in said


def test_another_models_folder_says_so_and_builds_nothing(tmp_path):
    CausalVideoVAE(**VAE_PRESETS["ci"]).save_pretrained(tmp_path)
    with pytest.raises(WeightsError, match="CausalVideoVAE, not of a VideoDiT"):
        VideoDiT.from_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text()) | {"_class_name": "VideoDiT"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(WeightsError, match="lacks"):
        VideoDiT.from_pretrained(tmp_path)
