"""A latent cache that something is wrong with: another's folder, a bad byte, a full disk. It says so and is put right.

Some five seconds, most of them for starting torch in another process.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from common.data import DataError
from common.data.film import FilmData
from common.data.latent_cache import LatentCache, weights_key
from common.data.shards import DamagedShard
from common.data.sprites import SpriteData
from tests.common.latent_fillings import ELSEWHERE, SPRITES, Counting, Scale, filled

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


def test_what_a_killed_fill_left_goes_and_the_users_own_files_stay(tmp_path):
    filled(tmp_path)
    own = ("notes.partial", "shard_00001_backup.partial", "shard_1.partial", ".hidden.partial")
    left = ("shard_00001.partial", ".cache.0a_b12cd.partial")
    for name in (*own, *left):
        (tmp_path / name).write_text("")
    filled(tmp_path)
    assert {path.name for path in tmp_path.glob("*.partial")} == set(own)


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
