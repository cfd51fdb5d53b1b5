"""A world for joint training on images and videos: half of the colours are in clips, all of them in pictures.

One disc on a plain field, as in the `mini` world. Clips show it move left, right, up or down, in `VIDEO_COLORS`.
Pictures show it standing still, in all colours. So a clip of a disc in one of `PICTURE_ONLY` has to be put together:
the colour from pictures, the motion from clips.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import product

import torch

from common.data.latent_cache import LatentCache
from common.data.sprites import caption, render, scene_of
from common.data.sprites.attributes import FPS, ObjectWords, SceneWords, SpriteScene
from common.data.sprites.dice import Dice
from common.data.sprites.render import SpriteBatch
from common.layers.packed_images import images_as_clips
from common.training.mixed_batches import mix_batches

VIDEO_COLORS = ("red", "green", "blue")
PICTURE_ONLY = ("yellow", "cyan", "purple")
SIZES, FIELDS = ("small", "large"), ("white", "black")
MOVES = ("left", "right", "up", "down")
NUM_FRAMES, SIZE, CLIP_FPS = 4, 64, 1.5  # two seconds
KINDS = {  # what a kind of sample shows: colours, motions, frames
    "clips": (VIDEO_COLORS, MOVES, NUM_FRAMES),
    "pictures": (VIDEO_COLORS + PICTURE_ONLY, ("still",), 1),
    "new clips": (PICTURE_ONLY, MOVES, NUM_FRAMES),
    "new pictures": (PICTURE_ONLY, ("still",), 1),
}
SPLITS = ("train", "test")
SPLIT_SIZE = 2**40  # numbers of a split's scenes
WORDS_KEY = 2**62 + 2  # of the dice that choose the words; no other world of sprites uses it


@dataclass(frozen=True)
class JointSprites:
    """Samples by number: the same number gives the same one, whatever else is asked for.

    Attributes:
        kind: a name of `KINDS`: "clips" and "pictures" are trained on; "new clips" are of colours that only pictures
            have shown.
        split: `train`, or `test`: other scenes.
    """

    kind: str = "clips"
    split: str = "train"
    key: str = field(init=False)

    def __post_init__(self):
        for name, value, known in (("kind", self.kind, KINDS), ("split", self.split, SPLITS)):
            if value not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}; got {value!r}")
        object.__setattr__(self, "key", f"joint sprites, {self.kind}, {self.split}")

    @property
    def num_frames(self) -> int:
        return KINDS[self.kind][2]

    def combinations(self) -> list[SceneWords]:
        """All that samples of this kind may show."""
        colors, motions, _ = KINDS[self.kind]
        return [
            SceneWords((ObjectWords("circle", color, size, motion),), "field", background)
            for size, color, background, motion in product(SIZES, colors, FIELDS, motions)
        ]

    def scenes(self, indices: Iterable[int]) -> list[SpriteScene]:
        """The scenes with these numbers, each from 0 up to, not including, 2^40."""
        words = self.combinations()
        first = SPLIT_SIZE * (SPLITS.index(self.split) + len(SPLITS) * list(KINDS).index(self.kind))
        return [scene_of(Dice(first + k, WORDS_KEY).choice(words), first + k) for k in map(int, indices)]

    def captions(self, indices: Iterable[int]) -> list[str]:
        """What is asked for, without drawing anything."""
        return [caption(scene) for scene in self.scenes(indices)]

    def batch(self, indices: Iterable[int]) -> SpriteBatch:
        """The samples with these numbers, uint8 `(B, 3, T, 64, 64)`, each with its plain caption."""
        scenes = self.scenes(indices)
        faster = [
            replace(scene, objects=tuple(replace(item, speed=item.speed * FPS / CLIP_FPS) for item in scene.objects))
            for scene in scenes
        ]  # the painter shows eight frames a second
        drawn = render(faster, self.num_frames, SIZE)
        return replace(drawn, scenes=tuple(scenes), captions=tuple(map(caption, scenes)), fps=CLIP_FPS)


class JointLatents:
    """Sequences of frames by number: clips, and pictures packed as if they were one. All latents are in memory.

    Args:
        clips, pictures: caches of captioned latents, `(C, T, H', W')` and `(C, 1, H', W')`.
        read: a list of texts to an object with `.states` `(B, L, D)` and `.mask` `(B, L)`, as `TextEncoder` does.
        normalize: raw latents to those that a diffusion model sees.
        picture_ratio, batch_size: as in `mix_batches`.
        num_frames: pictures in a sequence of pictures.
        num_steps: batches that are made; afterwards they come again.
        seed: of the order.
    """

    def __init__(self, clips: LatentCache, pictures: LatentCache, read, normalize, *, picture_ratio: float,
                 batch_size: int, num_frames: int, num_steps: int, seed: int = 0):  # fmt: skip
        found = [cache.batch(range(len(cache))) for cache in (clips, pictures)]
        self.clips, self.pictures = (normalize(batch.latents.float()) for batch in found)
        captions = [batch.fields["captions"] for batch in found]
        distinct = sorted({text for texts in captions for text in texts})
        text, number = read([*distinct, ""]), {caption: k for k, caption in enumerate(distinct)}
        self.states, self.mask = text.states, text.mask
        self.clip_texts, self.picture_texts = (torch.tensor([number[one] for one in texts]) for texts in captions)
        order = mix_batches(len(self.clips), len(self.pictures), picture_ratio, batch_size,
                            torch.Generator().manual_seed(seed), num_frames)  # fmt: skip
        self.sequences: list[tuple[bool, list[int]]] = []
        for _, batch in zip(range(num_steps), order):
            self.sequences += [(False, [n]) for n in batch.clips.tolist()]
            self.sequences += [(True, row) for row in batch.pictures.tolist()]
        self.num_frames = num_frames
        self.key = f"{clips.key}; {pictures.key}; ratio {picture_ratio}, {num_frames} frames, seed {seed}"

    def __len__(self) -> int:
        return len(self.sequences)

    def batch(self, indices) -> dict[str, torch.Tensor]:
        """Latents `(B, C, T, H', W')`; for each frame whether it `is_image` `(B, T)` and its text `(B, T)`.

        `states` `(M + 1, L, D)` and `mask` `(M + 1, L)` are of all texts; the last is empty.
        """
        latents, texts, is_image = [], [], []
        for images, rows in (self.sequences[int(index) % len(self)] for index in indices):
            latents.append(self._packed(rows) if images else self.clips[rows[0]])
            own = self.picture_texts[rows] if images else self.clip_texts[rows]
            texts.append(own.expand(self.num_frames))
            is_image.append(torch.full((self.num_frames,), images))
        return {
            "latents": torch.stack(latents),
            "texts": torch.stack(texts),
            "is_image": torch.stack(is_image),
            "states": self.states,
            "mask": self.mask,
        }

    def _packed(self, rows: list[int]) -> torch.Tensor:
        """Pictures as the frames of one sequence, `(C, T, H', W')`."""
        return images_as_clips(self.pictures[rows][:, :, 0], self.num_frames).clips[0]
