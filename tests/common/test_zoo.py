"""Shipped weights: found by name, loaded as they are, and measured again by the numbers on their card."""

import json
import os

import pytest
import torch
from click.testing import CliRunner

from common.cli.evaluate import evaluate
from common.cli.reconstruct import reconstruct
from common.cli.zoo import zoo
from common.models import shipped
from common.models.autoencoder import PRESETS, CausalVideoVAE
from common.zoo import ZooError, from_pretrained, shelf, weights_folder
from common.zoo.card import MARKS, Card, differences, file_facts, missed_bars, read_card, write_card
from common.zoo.sprites_vae import measures

MOST_BYTES = {
    "arcade-catch": 2e6,
    "arcade-rooms": 6e6,
    "arcade-rooms-fast": 5.3e6,
    "catch-dream": 1.5e6,
    "catch-dream-shuffled": 1.5e6,
    "digits-convlstm": 8e6,
    "film-interpolator": 8e6,
    "film-vae": 8e6,
    "joint-both": 2e6,
    "joint-images": 2e6,
    "joint-videos": 2e6,
    "mini-factorised": 4e5,
    "mini-full": 4e5,
    "mini-pairs": 2e6,
    "mini-pixels": 4e6,
    "mini-shifted": 4e5,
    "mini-spatial": 4e5,
    "mini-tokens": 4e6,
    "mini-video": 4e6,
    "mini-windows": 4e5,
    "rooms-latent-actions": 3e6,
    "sprites-content-motion": 8e6,
    "sprites-dose": 6e6,
    "sprites-entangled": 8e6,
    "sprites-frame-vae": 4e6,
    "sprites-fsq": 4e6,
    "sprites-gan": 8e6,
    "sprites-gan-frames": 8e6,
    "sprites-image": 6.5e6,
    "sprites-svd": 6e6,
    "sprites-t2v": 16e6,
    "sprites-t2v-shapes": 8e6,
    "sprites-unet-t2v": 6e6,
    "sprites-upscaler": 4e6,
    "sprites-vae": 12e6,
    "sprites-vae-minute": 4e6,
}
SHIPPED = [name for name in shelf.names() if shelf.has_weights(name)]


@pytest.fixture
def small_zoo(tmp_path, monkeypatch):
    """A zoo of its own, with a small untrained autoencoder in half precision and a card that says little."""
    place = tmp_path / "zoo" / "sprites_vae"
    place.mkdir(parents=True)
    torch.manual_seed(0)
    model = CausalVideoVAE(**PRESETS["ci"])
    model.half().save_pretrained(place)
    (place / "recipe.py").write_text("")
    (place / "card.md").write_text(f"# A card\n{MARKS[0]}\n{MARKS[1]}\nThe end.\n")
    write_card(place, Card("sprites-vae", "A small one.", bars={"held_out/psnr": [">=", 32]}))
    monkeypatch.setattr(shelf, "ROOT", place.parent)
    monkeypatch.setattr(shelf, "model_class", lambda place: CausalVideoVAE)
    monkeypatch.setattr(shipped, "ZOO", place.parent)
    monkeypatch.setattr(measures, "SETTINGS", {"small": (3, 2), "full": (5, 3)})
    monkeypatch.setattr(measures, "SHAPE", (5, 32))
    return place


def run(command, *arguments):
    return CliRunner().invoke(command, arguments)


# ------------------------------------------------------------------------------------------------ the shelf


def test_a_name_gives_the_weights_of_its_folder_in_float32(small_zoo):
    by_name, by_folder = from_pretrained("sprites-vae"), CausalVideoVAE.from_pretrained(small_zoo)
    assert not by_name.training and {p.dtype for p in by_name.parameters()} == {torch.float32}
    assert all(torch.equal(a, b) for a, b in zip(by_name.parameters(), by_folder.parameters()))


def test_the_models_own_from_pretrained_takes_the_name(small_zoo):
    by_name, by_folder = CausalVideoVAE.from_pretrained("sprites-vae"), CausalVideoVAE.from_pretrained(small_zoo)
    assert all(torch.equal(a, b) for a, b in zip(by_name.parameters(), by_folder.parameters()))
    assert CausalVideoVAE.from_pretrained("sprites-vae", torch_dtype=torch.float16).dtype == torch.float16


def test_the_class_is_the_one_that_the_config_names(tmp_path):
    CausalVideoVAE(**PRESETS["ci"]).save_pretrained(tmp_path)
    assert shelf.model_class(tmp_path) is CausalVideoVAE
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"_class_name": "NoSuchModel"}))
    with pytest.raises(ZooError, match="NoSuchModel"):
        shelf.model_class(tmp_path)


def test_what_is_not_there_is_named(small_zoo):
    with pytest.raises(ZooError, match=r"no-such.*sprites-vae"):
        weights_folder("no-such")
    (small_zoo / shelf.WEIGHTS).unlink()
    (small_zoo / "config.json").unlink()
    with pytest.raises(ZooError, match="flipbook train sprites-vae"):
        from_pretrained("sprites-vae")
    with pytest.raises(OSError, match="flipbook train sprites-vae"):
        CausalVideoVAE.from_pretrained("sprites-vae")
    assert "recipe only" in run(zoo).output


def test_the_list(small_zoo):
    [row] = json.loads(run(zoo, "--json").output)
    assert row["name"] == "sprites-vae" and row["what"] == "A small one."
    assert row["bytes"] == (small_zoo / shelf.WEIGHTS).stat().st_size
    assert "sprites-vae" in run(zoo).output and "A small one." in run(zoo).output


@pytest.fixture
def carded(small_zoo):
    """The small zoo, its file's checksum on its card."""
    card = read_card(small_zoo)
    card.weights = file_facts(small_zoo)
    write_card(small_zoo, card)
    return small_zoo


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[-9] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("load", [CausalVideoVAE.from_pretrained, from_pretrained])
@pytest.mark.parametrize(
    "file, harm",
    [
        (shelf.WEIGHTS, flip_a_bit),
        (shelf.WEIGHTS, lambda path: os.truncate(path, 5000)),
        (shelf.WEIGHTS, lambda path: path.write_bytes(b"")),
        ("config.json", lambda path: path.write_text("{")),
        (
            "config.json",
            lambda path: path.write_text(path.read_text().replace('latent_channels": ', 'latent_channels": 1')),
        ),
        ("card.json", lambda path: path.write_text("[]")),
    ],
)
def test_a_damaged_file_says_how_to_have_it_again(carded, tmp_path, load, file, harm):
    """In a checkout by git; elsewhere, as from a wheel, by installing again."""
    load("sprites-vae")
    harm(carded / file)
    with pytest.raises(ValueError, match="install flipbook-video once more, with pip's --force-reinstall"):
        load("sprites-vae")
    (shipped.ZOO.parents[1] / ".git").mkdir()
    try:
        with pytest.raises(ValueError, match=rf"git checkout -- \S*/zoo/sprites_vae/{file}$"):
            load("sprites-vae")
    finally:
        (shipped.ZOO.parents[1] / ".git").rmdir()
    (shipped.ZOO.parents[1] / "pyproject.toml").write_text("")  # an archive of the repository
    try:
        with pytest.raises(ValueError, match="unpack the course once more"):
            load("sprites-vae")
    finally:
        (shipped.ZOO.parents[1] / "pyproject.toml").unlink()


def test_generate_and_its_kin_end_in_a_sentence_at_damaged_weights(carded):
    flip_a_bit(carded / shelf.WEIGHTS)
    ran = run(reconstruct, "3", "--num-frames", "5", "--size", "32")
    assert ran.exit_code == 1 and ran.output.startswith("Error: the weights of sprites-vae are damaged")


def test_a_missing_file_that_the_card_knows_is_had_again_too(carded):
    (carded / shelf.WEIGHTS).unlink()
    with pytest.raises(OSError, match=r"missing.*force-reinstall"):
        CausalVideoVAE.from_pretrained("sprites-vae")


def test_a_misspelt_name_is_answered_with_the_nearest(small_zoo):
    for load in (weights_folder, shelf.folder, CausalVideoVAE.from_pretrained):
        with pytest.raises(ValueError, match="did you mean sprites-vae"):
            load("sprite-vea")


# ------------------------------------------------------------------------------------------------ cards


def test_the_file_speaks_for_itself(small_zoo):
    facts = file_facts(small_zoo)
    assert facts["num_parameters"] == sum(p.numel() for p in from_pretrained("sprites-vae").parameters())
    assert facts["bytes"] == pytest.approx(2 * facts["num_parameters"], rel=0.2)


def test_rounding_is_no_difference_and_half_a_percent_is_the_limit():
    assert differences({"a": 30.0, "n": 7}, {"a": 30.1, "n": 7}) == []
    assert [one.measure for one in differences({"a": 30.0, "n": 7}, {"a": 30.2, "n": 8})] == ["a", "n"]
    assert [one.measure for one in differences({"a": 1.0}, {"b": 1.0})] == ["a", "b"]


def test_bars_from_above_and_from_below():
    card = Card("x", "", bars={"psnr": [">=", 32], "static": ["<=", 1]})
    assert missed_bars(card, {"psnr": 32.0, "static": 1.0}) == []
    assert len(missed_bars(card, {"psnr": 31.9, "static": 1.1})) == 2
    between = Card("x", "", bars={"ratio": [">=", 0.9, "<=", 1.1]})
    assert [len(missed_bars(between, {"ratio": value})) for value in (0.8, 0.9, 1.1, 1.2)] == [1, 0, 0, 1]


def test_a_card_is_read_as_it_was_written(small_zoo):
    card = Card("sprites-vae", "Ümlaut", {"steps": "7"}, {"bytes": 3}, {"small": {"psnr": 31.5}}, {"psnr": [">=", 32]})
    for _ in range(2):  # the second time the old numbers go
        write_card(small_zoo, card)
    assert read_card(small_zoo) == card
    page = (small_zoo / "card.md").read_text(encoding="utf-8")
    assert page.count("31.5") == 1 and page.startswith("# A card") and page.endswith("The end.\n")


# ------------------------------------------------------------------------------------------------ evaluate, reconstruct


def test_a_card_brought_up_to_date_agrees_until_a_weight_or_a_number_changes(small_zoo):
    assert run(evaluate, "sprites-vae").exit_code == 1  # the card is still empty
    assert run(evaluate, "sprites-vae", "--update").exit_code == 0
    ran = run(evaluate, "sprites-vae", "--json")
    document = json.loads(ran.output)
    assert ran.exit_code == 0 and document["differences"] == []
    assert document["missed_bars"]  # it is untrained
    card = read_card(small_zoo)
    card.measured["small"]["held_out/psnr"] += 1
    write_card(small_zoo, card)
    ran = run(evaluate, "sprites-vae")
    assert ran.exit_code == 1 and "held_out/psnr: the card says" in ran.output and "test/psnr: the" not in ran.output
    other = CausalVideoVAE.from_pretrained(small_zoo)
    other.decoder.patches_out.conv.bias.data += 0.3
    other.half().save_pretrained(small_zoo)
    found = json.loads(run(evaluate, "sprites-vae", "--json").output)["differences"]
    assert {"sha256", "test/psnr", "film/psnr", "held_out/psnr_image"} <= {one["measure"] for one in found}
    assert not {"held_out/psnr_mean_frame", "bytes", "num_parameters"} & {one["measure"] for one in found}


def test_an_autoencoder_that_changes_nothing_is_perfect_and_one_that_does_not_move_is_the_baseline():
    class Same:
        def encode(self, clip):
            self.clip = clip
            return type("Out", (), {"latent_dist": type("Dist", (), {"mode": lambda _: clip})()})

        def decode(self, z):
            return type("Out", (), {"sample": z})

    class Still(Same):
        def decode(self, z):
            return type("Out", (), {"sample": z.mean(dim=2, keepdim=True).expand_as(z)})

    measures_of = {kind.__name__: measures.measure(kind(), "small") for kind in (Same, Still)}
    for name in ("held_out", "test", "film"):
        assert measures_of["Same"][f"{name}/psnr"] == float("inf")
        assert measures_of["Same"][f"{name}/change_ratio"] == 1
    assert measures_of["Same"]["test/read_color"] == 1 > measures_of["Still"]["test/read_motion"]
    for name in ("held_out", "test", "film"):
        assert measures_of["Still"][f"{name}/psnr"] == measures_of["Still"][f"{name}/psnr_mean_frame"] < 40
        assert measures_of["Still"][f"{name}/change_ratio"] == 0


@pytest.mark.parametrize("clip", ["3", "leap", "a small red star moves left over a blue field"])
def test_reconstruct_draws_what_it_is_told(small_zoo, tmp_path, clip):
    out = tmp_path / "picture.png"
    ran = run(reconstruct, clip, "--num-frames", "5", "--size", "32", "-o", str(out))
    assert ran.exit_code == 0, ran.output
    assert out.is_file() and "psnr" in ran.output


def test_reconstruct_says_what_is_wrong(small_zoo, tmp_path):
    out = str(tmp_path / "picture.png")
    assert "1 + 4k" in run(reconstruct, "3", "--num-frames", "6", "-o", out).output
    assert "multiple of 8" in run(reconstruct, "3", "--size", "60", "-o", out).output
    assert "nothing" in run(reconstruct, "nothing", "-o", out).output
    assert "dragon" in run(reconstruct, "a small red dragon moves left over a blue field", "-o", out).output


# ------------------------------------------------------------------------------------------------ what is shipped


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_weights_are_those_of_their_card_and_small_enough(name):
    place = shelf.folder(name)
    card = read_card(place)
    assert card.weights == file_facts(place) and card.weights["bytes"] <= MOST_BYTES[name]
    assert set(card.measured) == {"small", "full"} and card.made and card.fails
    copy = (place / "card.md").read_text(encoding="utf-8")
    assert all(f"`{measure}`" in copy for measure in card.measured["full"])
    assert "_name_or_path" not in json.loads((place / "config.json").read_text()), "it holds a path of some machine"


@pytest.mark.parametrize("name", SHIPPED)
def test_the_numbers_of_a_card_come_out_again(name):
    ran = run(evaluate, name, "--json")
    document = json.loads(ran.output)
    assert document["differences"] == [] and ran.exit_code == 0, document["differences"]
    assert document["measured"]
