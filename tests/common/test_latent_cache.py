"""Latents on the disk: what was put in comes out by number, a kill loses nothing, and a recipe trains on them.

Some ten seconds, most of them for starting torch in another process.
"""

import json
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from common.data import DataError
from common.data.digits import DigitData
from common.data.film import FilmData
from common.data.latent_batch import SMALL, small_fields
from common.data.latent_cache import LatentBatch, LatentCache
from common.training import Recipe, Settings, Stage, read_log, train
from tests.common.latent_fillings import ELSEWHERE, SPRITES, Counting, Scale, filled

ROOT = Path(__file__).parents[2]

# ---- what comes out


def test_what_was_put_in_comes_out_by_number(tmp_path):
    cache = filled(tmp_path)
    assert len(cache) == 10 and sorted(path.name for path in tmp_path.glob("shard*")) == [
        f"shard_{number:05d}.safetensors" for number in range(3)
    ]
    wanted = [9, 0, 3, 4, 3, 27]
    got, direct = cache.batch(wanted), SPRITES.batch([9, 0, 3, 4, 3, 7])
    assert got.latents.dtype == torch.float16
    assert torch.equal(got.latents, direct.clips().mean(dim=(3, 4)).half())
    assert got.fields == {"captions": direct.captions}


def test_it_is_there_in_another_process_that_has_only_the_folder(tmp_path):
    whole = filled(tmp_path)
    again = LatentCache(str(tmp_path))
    assert again.key == whole.key and torch.equal(again.batch([5]).latents, whole.batch([5]).latents)
    first = LatentCache(tmp_path, 6)
    assert torch.equal(first.batch([7]).latents, whole.batch([1]).latents) and first.key != whole.key
    with pytest.raises(DataError, match="10 of 11"):
        LatentCache(tmp_path, 11)
    with pytest.raises(ValueError, match="at least one"):
        whole.batch([])


@pytest.mark.parametrize(
    "data, encode, names",
    [
        (SPRITES, lambda b: b.clips().mean(dim=(3, 4)), {"captions"}),
        (DigitData(num_frames=2), lambda b: b.clips().mean(dim=(3, 4)), {"labels"}),
        (FilmData(num_frames=2, size=8), lambda b: b.float().mean(dim=(3, 4)), set()),
    ],
    ids=["sprites", "digits", "film"],
)
def test_every_data_set_goes_through(tmp_path, data, encode, names):
    cache = filled(tmp_path, 5, encode, data)
    batch = data.batch([4, 1])
    assert torch.equal(cache.batch([4, 1]).latents, encode(batch).half())
    assert cache.batch([4, 1]).fields.keys() == names
    for name in names:
        assert as_list(cache.batch([4, 1]).fields[name]) == as_list(getattr(batch, name))


def as_list(values):
    return values.tolist() if isinstance(values, torch.Tensor) else list(values)


def test_what_is_small_and_said_of_each_sample_comes_along():
    @dataclass
    class Said:
        pixels: torch.Tensor
        captions: list
        word: str = "ab"
        fps: float = 8.0
        path: torch.Tensor = None
        other: torch.Tensor = None

    pixels, path = torch.zeros(2, 3, 2, 16, 16), torch.arange(2 * SMALL).reshape(2, SMALL)
    said = Said(pixels, ["x", "y"], path=path, other=torch.zeros(3, 1))
    found = small_fields(said, 2)
    assert found.keys() == {"captions", "path"} and found["captions"] == ("x", "y")
    assert small_fields({"labels": path[:, :1], "pixels": pixels}, 2).keys() == {"labels"}
    assert small_fields(pixels, 2) == {}


def test_a_batch_moves_and_changes_its_type():
    batch = LatentBatch(
        torch.zeros(2, 3, dtype=torch.float16), {"labels": torch.tensor([1, 2]), "captions": ("a", "b")}
    )
    moved = batch.to("cpu", torch.float32)
    assert moved.latents.dtype == torch.float32 and moved.fields["labels"].dtype == torch.int64 and len(moved) == 2
    assert moved.fields["captions"] == ("a", "b")


# ---- going on


def test_nothing_is_encoded_twice(tmp_path):
    filled(tmp_path)
    again = Counting()
    filled(tmp_path, encode=again)
    assert again.seen == 0


def test_a_cache_grows(tmp_path):
    """The short last shard is made again with the rest of its samples; whole ones stay."""
    filled(tmp_path, 10)
    more = Counting()
    grown = filled(tmp_path, 13, more)
    assert more.seen == 5 and len(grown) == 13
    fewer = Counting()
    assert len(filled(tmp_path, 6, fewer)) == 6 and fewer.seen == 0 and len(LatentCache(tmp_path)) == 13
    assert torch.equal(grown.batch(range(13)).latents, filled(tmp_path / "b", 13).batch(range(13)).latents)


def test_an_encoder_that_fails_loses_only_its_shard(tmp_path):
    def fails(batch):
        if count.seen == 7:
            raise RuntimeError("no luck")
        return count(batch)

    count = Counting()
    with pytest.raises(RuntimeError, match="no luck"):
        filled(tmp_path, encode=fails)
    with pytest.raises(DataError, match="filled with 0 latents"):
        LatentCache(tmp_path)
    rest = Counting()
    filled(tmp_path, encode=rest)
    assert rest.seen == 6  # of 10: the first shard of 4 was there


def test_ctrl_c_says_what_stays(tmp_path, capsys):
    def interrupted(batch):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        filled(tmp_path, encode=interrupted, quiet=False)
    assert "Finished shards stay" in capsys.readouterr().err
    assert len(filled(tmp_path)) == 10


@pytest.fixture(scope="module")
def killed(tmp_path_factory) -> dict[str, dict]:
    """What became of each filling that was killed."""
    folder = tmp_path_factory.mktemp("kills")
    command = [sys.executable, "-W", "ignore", "-m", "tests.common.latent_kills", str(folder)]
    ran = subprocess.run(command, cwd=ROOT, env=ELSEWHERE, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
    return {row["way"]: row for row in map(json.loads, ran.stdout.splitlines())}


def test_killed_at_random_moments_it_comes_to_the_same_bytes(killed):
    row = killed["at_random"]
    *kills, end = row["ends"]
    assert len(kills) >= 3 and set(kills) == {-signal.SIGKILL} and end == 0
    assert row["finished"] == sorted(row["finished"]) and any(0 < count < 10 for count in row["finished"])
    assert all(row["kept"]) and row["same"]


@pytest.mark.parametrize(
    "way, half",
    [
        ("in_the_encoder", 0),
        ("in_the_middle_of_a_shard", 1),
        ("before_a_shard_has_its_name", 1),
        ("after_a_shard_has_its_name", 0),
        ("before_anything_has_its_name", 1),
        ("before_the_end_is_said", 1),
    ],
)
def test_killed_at_its_worst_moments_it_comes_to_the_same_bytes(killed, way, half):
    row = killed[way]
    assert row["ends"] == [-signal.SIGKILL, 0] and row["halves"] == half
    assert all(row["kept"]) and row["same"]


# ---- as data of a run


def test_a_recipe_trains_on_it(tmp_path):
    """Its latents come to the loss, its key names the world, and a training on other latents does not go on."""
    cache = filled(tmp_path / "latents")

    def compute_loss(model, batch, noise):
        latents = batch.latents.float()
        assert len(batch.fields["captions"]) == len(latents)
        return {"loss": (model(latents) + latents).square().mean()}

    recipe = Recipe(
        name="scale", build_model=lambda preset: Scale(), data=lambda preset: cache, compute_loss=compute_loss,
        stages={"main": Stage({"ci": Settings(steps=6, batch_size=4, learning_rate=0.1, log_every=1)})},
    )  # fmt: skip
    train(recipe, "ci", folder=tmp_path / "run", quiet=True)
    losses = [line["loss"] for line in read_log(tmp_path / "run")]
    assert len(losses) == 6 and losses[-1] < 0.8 * losses[0]
    other = filled(tmp_path / "other", encoder="another mean")
    with pytest.raises(Exception, match="another mean"):
        train(replace(recipe, data=lambda preset: other), "ci", folder=tmp_path / "run", quiet=True)
