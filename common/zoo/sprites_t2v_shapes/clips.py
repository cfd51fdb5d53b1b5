"""Captioned clips of several shapes, as latents on the disk, in batches of one shape each."""

from dataclasses import dataclass
from functools import partial

from common.data.buckets import Shape, bucket_batches
from common.data.sprites.shaped import ShapedSprites
from common.text import TextEncoder
from common.zoo.captioned import CaptionedLatents, captioned_latents
from common.zoo.sprites_t2v.latents import encode_clip, read_with_mask

# Frames, height and width of what it learns from. None of `UNSEEN` is among them, though each of their numbers lies
# between those of two shapes that are.
TRAINED = (
    (17, 64, 64), (9, 64, 64), (33, 64, 64), (33, 48, 64), (17, 48, 64), (17, 48, 96), (17, 64, 80), (17, 80, 64),
    (17, 80, 48), (17, 96, 80),
)  # fmt: skip
UNSEEN = ((17, 48, 80), (17, 96, 64), (25, 64, 64))


@dataclass(frozen=True)
class BucketedLatents:
    """Batches by their number: of one shape each, with about as many tokens.

    Attributes:
        buckets: the clips of each shape.
        max_tokens: of a batch.
        per_step: samples that a step of the training loop counts, whatever the size of its batch.
    """

    buckets: tuple[CaptionedLatents, ...]
    max_tokens: int
    per_step: int

    @property
    def key(self) -> str:
        return f"batches of {self.max_tokens} tokens: {'; '.join(bucket.key for bucket in self.buckets)}"

    def plan(self, epoch: int) -> list[list[int]]:
        """The batches of an epoch. Clips are numbered through all buckets."""
        shapes = [shape for bucket, shape in zip(self.buckets, TRAINED) for _ in range(len(bucket.latents))]
        return bucket_batches(shapes, self.max_tokens, epoch)

    def batch(self, indices: list[int]) -> dict:
        """The batch of the step that these samples belong to, as `CaptionedLatents` gives it, with its `step`."""
        step = indices[0] // self.per_step
        length = len(self.plan(0))
        numbers, which = self.plan(step // length)[step % length], 0
        while numbers[0] >= len(self.buckets[which].latents):
            numbers = [number - len(self.buckets[which].latents) for number in numbers]
            which += 1
        return self.buckets[which].batch(numbers) | {"step": step}


def shaped_latents(num_clips: int, shapes: tuple[Shape, ...] = TRAINED) -> tuple[CaptionedLatents, ...]:
    """So many clips of each shape, in which no clip is that of another shape."""
    read, found = partial(read_with_mask, TextEncoder.installed()), []
    for number, shape in enumerate(shapes):
        source = ShapedSprites(*shape, seed=1 + number)
        name = f"sprites-shaped-{'x'.join(map(str, shape))}"
        found.append(captioned_latents(source, encode_clip, num_clips, name, read))
    return tuple(found)
