"""What the arms of lab 04.2 are trained on: clips, and pictures packed as clips, in mixed batches."""

import torch

from common.data.latent_cache import LatentCache
from common.layers.packed_images import images_as_clips
from common.training.mixed_batches import mix_batches


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
