"""Latents on the disk: what was put in comes out, by number; nothing is lost to a kill, a full disk or a bad byte.

Some fifteen seconds, most of them for starting torch in two processes.
"""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config

from common.data import DataError
from common.data.digits import DigitData
from common.data.film import FilmData
from common.data.latent_batch import SMALL, small_fields
from common.data.latent_cache import LatentBatch, LatentCache, fill, weights_key
from common.data.shards import DamagedShard
from common.data.sprites import SpriteData
from common.training import Recipe, Settings, Stage, read_log, train

ROOT = Path(__file__).resolve().parents[2]
SPRITES = SpriteData(num_frames=2, size=8)
ELSEWHERE = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}


class Counting:
    """An encoder that remembers how many samples it saw: their mean colours, `(B, 3, T)`."""

    def __init__(self):
        self.seen = 0

    def __call__(self, batch):
        self.seen += len(batch)
        return batch.clips().mean(dim=(3, 4))


def filled(folder, num_samples=10, encode=None, data=SPRITES, **options):
    options = {"encoder": "mean", "shard_size": 4, "batch_size": 3, "quiet": True} | options
    return fill(folder, data, encode or Counting(), num_samples, **options)


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
    script = Path(__file__).with_name("latent_kills.py")
    command = [sys.executable, "-W", "ignore", str(script), str(tmp_path_factory.mktemp("kills"))]
    ran = subprocess.run(command, env=ELSEWHERE, capture_output=True, text=True, timeout=300)
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


# ---- whose folder it is


@pytest.mark.parametrize(
    "other, word",
    [
        ({"data": SpriteData(num_frames=2, size=8, seed=1)}, "seed=1"),
        ({"encoder": "median"}, "median"),
        ({"shard_size": 5}, "shard_size: 4 there, 5 now"),
    ],
)
def test_another_cache_s_folder_is_refused_and_left_alone(tmp_path, other, word):
    before = filled(tmp_path).batch(range(10)).latents
    encode = Counting()
    with pytest.raises(DataError, match="holds other latents") as caught:
        filled(tmp_path, encode=encode, **other)
    assert word in str(caught.value) and encode.seen == 0
    assert torch.equal(LatentCache(tmp_path).batch(range(10)).latents, before)


def test_an_encoder_that_lies_about_its_shape_is_refused(tmp_path):
    filled(tmp_path, 4)
    with pytest.raises(DataError, match=r"shape: \[3, 2\] there, \[3\] now"):
        filled(tmp_path, 8, lambda batch: batch.clips().mean(dim=(2, 3, 4)))
    assert len(LatentCache(tmp_path)) == 4


def test_a_shard_of_another_cache_is_found_out(tmp_path):
    filled(tmp_path / "a")
    filled(tmp_path / "b", encoder="another")
    name = "shard_00001.safetensors"
    (tmp_path / "a" / name).write_bytes((tmp_path / "b" / name).read_bytes())
    with pytest.raises(DamagedShard, match=r"shard_00001.* belongs to another cache"):
        LatentCache(tmp_path / "a").batch([5])


def test_shards_that_were_swapped_are_found_out_and_made_again(tmp_path):
    """Two whole shards of one cache under each other's names: both are named, and filling gives the same as before."""
    cache = filled(tmp_path)
    before = cache.batch(range(10)).latents
    one, two, aside = tmp_path / "shard_00000.safetensors", tmp_path / "shard_00001.safetensors", tmp_path / "aside"
    one.rename(aside), two.rename(one), aside.rename(two)
    with pytest.raises(DamagedShard, match=r"shard_00000.* holds the samples from 4 on, not from 0 on"):
        cache.batch([0])
    with pytest.raises(DamagedShard, match=r"shard_00001.* holds the samples from 0 on, not from 4 on"):
        cache.batch([4])
    encode = Counting()
    assert torch.equal(filled(tmp_path, encode=encode).batch(range(10)).latents, before) and encode.seen == 8


@pytest.mark.parametrize("about", ["[]", "3", '{"num_samples": 10}', '{"a": ' * 5000, None])
def test_an_odd_cache_json_says_so(tmp_path, about):
    """Valid JSON of another shape, far too deep JSON, a size that is a word: one sentence."""
    filled(tmp_path)
    file = tmp_path / "cache.json"
    file.write_text(about or json.dumps(json.loads(file.read_text()) | {"shard_size": "four"}))
    for use in (lambda: LatentCache(tmp_path), lambda: filled(tmp_path)):
        with pytest.raises(DataError, match=r"cache.json .*Delete the folder to begin anew"):
            use()


def test_a_folder_is_filled_by_one_process_at_a_time(tmp_path):
    def second(batch):
        with pytest.raises(DataError, match="another process"):
            filled(tmp_path)
        return batch.clips().mean(dim=(3, 4))

    assert len(filled(tmp_path, encode=second)) == 10


def test_keys_name_data_encoder_and_shape(tmp_path):
    key = filled(tmp_path).key
    assert all(word in key for word in ("10 latents 3x2", "SpriteData(split='train'", "mean"))
    assert (
        FilmData(num_frames=2, size=8).key
        in filled(tmp_path / "film", 4, lambda b: b.float().mean(dim=(3, 4)), FilmData(num_frames=2, size=8)).key
    )

    class Nameless:
        def batch(self, indices):
            return SPRITES.batch(indices)

    with pytest.raises(ValueError, match="Nameless"):
        filled(tmp_path / "nameless", data=Nameless())


def test_a_weights_key_changes_with_every_weight_and_with_the_config():
    model = Scale()
    key = weights_key(model)
    assert key.startswith("Scale ") and key == weights_key(Scale())
    assert weights_key(Scale(latents_mean=0.5)) != key
    with torch.no_grad():
        model.gain[1] += 1e-7
    assert weights_key(model) != key


# ---- what can go wrong


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-9] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "harm", [damage, lambda path: os.truncate(path, 300), lambda path: path.write_bytes(b""), Path.unlink]
)
def test_a_damaged_shard_is_named_and_made_again(tmp_path, harm, capsys):
    whole = filled(tmp_path).batch(range(10)).latents
    harm(tmp_path / "shard_00001.safetensors")
    cache = LatentCache(tmp_path)
    assert torch.equal(cache.batch([0, 9]).latents, whole[[0, 9]])
    with pytest.raises(DamagedShard, match=r"shard_00001.*samples from 4 to 7.*made again"):
        cache.batch([0, 5])
    again = Counting()
    mended = filled(tmp_path, encode=again, quiet=False)
    assert again.seen == 4 and torch.equal(mended.batch(range(10)).latents, whole)
    assert harm is Path.unlink or "shard_00001" in capsys.readouterr().err


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 70_000.0])
def test_what_float16_cannot_hold_is_refused_with_its_number(tmp_path, value):
    def encode(batch):
        latents = batch.clips().mean(dim=(3, 4))
        if "5" in str(batch.scenes[-1].index):
            latents[-1, 0, 0] = value
        return latents

    with pytest.raises(DataError, match="sample 5"):
        filled(tmp_path, encode=encode, batch_size=2)
    assert len(filled(tmp_path)) == 10


def test_a_cache_that_cannot_be_read_says_so(tmp_path):
    with pytest.raises(DataError, match="filled with 0 latents"):
        LatentCache(tmp_path / "nothing")
    filled(tmp_path)
    (tmp_path / "cache.json").write_text("{")
    with pytest.raises(DataError, match=r"cache\.json cannot be read"):
        LatentCache(tmp_path)


@pytest.mark.parametrize("wrong", [{"num_samples": 0}, {"shard_size": 0}, {"batch_size": -1}])
def test_impossible_sizes_are_refused(tmp_path, wrong):
    with pytest.raises(ValueError, match="=".join(map(str, next(iter(wrong.items()))))):
        filled(tmp_path, **wrong)


def test_an_encoder_that_drops_samples_is_refused(tmp_path):
    with pytest.raises(ValueError, match="2 latents of 3"):
        filled(tmp_path, encode=lambda batch: batch.clips().mean(dim=(3, 4))[1:])


FULL_DISK = """
import json, sys
from pathlib import Path
import torch
from common.data import DataError, latent_cache, shards
from common.data.sprites import SpriteData

disk, look = Path(sys.argv[1]), shards.files.demand_room
fill = lambda folder: latent_cache.fill(folder, SpriteData(num_frames=1, size=64), lambda batch: batch.clips(), 8,
                                        encoder="all", shard_size=2, batch_size=2, quiet=True)
for looks_first in (True, False):
    # Without the look it is as if the room had gone between the look and the writing.
    shards.files.demand_room = look if looks_first else lambda folder, needed: None
    (disk / "ballast").write_bytes(bytes(240_000))
    folder = disk / f"{looks_first}"
    try:
        fill(folder)
        said = "nothing"
    except DataError as error:
        said = str(error)
    left = sorted(path.name for path in folder.iterdir())
    (disk / "ballast").unlink()
    print(json.dumps([said, left, fill(folder).batch(range(8)).latents.sum(dtype=torch.float64).item()]))
    shards._open.cache_clear()  # what is mapped into memory keeps its room on the disk
    for path in folder.iterdir():
        path.unlink()
"""


def test_a_full_disk(tmp_path, require_bubblewrap):
    """A file system that is nearly full: it says so, keeps what was good, and goes on once there is room."""
    disk = tmp_path / "disk"
    disk.mkdir()
    ran = subprocess.run(
        [require_bubblewrap, "--dev-bind", "/", "/", "--size", "400000", "--tmpfs", str(disk), sys.executable, "-W",
         "ignore", "-c", FULL_DISK, str(disk)],
        env=ELSEWHERE, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    clips = SpriteData(num_frames=1, size=64).batch(range(8)).clips().half().sum(dtype=torch.float64).item()
    lines = list(map(json.loads, ran.stdout.splitlines()))
    assert len(lines) == 2
    for said, left, total in lines:
        assert "The disk is full: shard_0000" in said and "goes on from here" in said
        shards = [name for name in left if name.startswith("shard")]
        assert shards and left == [".lock", "cache.json", *shards] and len(shards) < 4
        assert total == clips


# ---- as data of a training


class Scale(ModelMixin, ConfigMixin):
    """A gain for each of three channels."""

    @register_to_config
    def __init__(self, latents_mean: float = 0.0):
        super().__init__()
        self.gain = torch.nn.Parameter(torch.ones(3))

    def forward(self, latents):
        return latents * self.gain[:, None]


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
