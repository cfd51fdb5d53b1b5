"""Pictures and prompts that disagree: the picture shows one colour, the prompt asks for another.

    asks = conflicts(12)
    clips = pipeline(asks.prompts, list(asks.pictures), image_guidance_scale=2.0, guidance_scale=3.0).frames
    scores(asks, clips)["text"].mean()    the share of the clips that end in the prompt's colour

Motion is in the prompt alone. So a strength of the text shows in two ways: whose colour wins, and whether anything
moves as asked.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch

from common.data.sprites import SpriteData, caption, is_held_out
from common.data.sprites.attributes import COLORS, SceneWords
from common.evaluation.sprite_reader import agreement, read_sprites

SETTLED = 5  # frames after which the first latent frame's share of a clip is over


@dataclass(frozen=True)
class Conflicts:
    """N clips to ask for.

    Attributes:
        pictures: their first frames, `(N, 3, H, W)` in [-1, 1].
        shown: what the pictures' clips show.
        asked: the same with another colour.
        change: mean absolute change from frame to frame of the pictures' own clips, per pixel value in [-1, 1].
    """

    pictures: torch.Tensor
    shown: tuple[SceneWords, ...]
    asked: tuple[SceneWords, ...]
    change: float

    @property
    def prompts(self) -> list[str]:
        """What `asked` says as sentences."""
        return [caption(words) for words in self.asked]


def conflicts(num_clips: int, split: str = "test") -> Conflicts:
    """The first scenes of a split with one object that moves before a still camera, each with another colour asked for.

    Args:
        num_clips: N.
        split: of the sprites' world.
    """
    data, chosen, index = SpriteData(split, num_objects=1), [], 0
    while len(chosen) < num_clips:
        [scene] = data.scenes([index])
        if scene.words.camera == "still" and scene.words.objects[0].motion not in ("still", "grow", "shrink"):
            chosen.append(index)
        index += 1
    batch = data.batch(chosen)
    clips, shown = batch.clips(), tuple(scene.words for scene in batch.scenes)
    asked = tuple(recolored(words) for words in shown)
    return Conflicts(clips[:, :, 0], shown, asked, float(clips.diff(dim=2).abs().mean()))


def recolored(words: SceneWords) -> SceneWords:
    """A scene's words with another colour: half the way round the list, or the next one that was trained on."""
    [item], names = words.objects, list(COLORS)
    start = names.index(item.color) + len(names) // 2
    for k in range(len(names)):
        color = names[(start + k) % len(names)]
        other = replace(words, objects=(replace(item, color=color),))
        if color not in (item.color, words.background_color) and not is_held_out(other):
            return other
    raise ValueError(f"no other colour goes with {words}")


def scores(asks: Conflicts, clips: torch.Tensor) -> dict[str, np.ndarray]:
    """What became of each clip, `(N,)` per name.

    Args:
        asks: what was asked for.
        clips: `(N, 3, T, H, W)` in [-1, 1].

    Returns:
        `text`, `picture`: whether the object has the prompt's colour, or the picture's, after the first frames;
        `motion`: whether it moves as asked; `change`: how much changes from frame to frame, of the real clips' change;
        `clipped`: the share of pixel values at -1 or 1.
    """
    late, whole = read_sprites(clips[:, :, SETTLED:]), read_sprites(clips)
    change = clips.diff(dim=2).abs().flatten(1).mean(dim=1) / asks.change
    return {
        "text": np.array([agreement(words, seen)["color"] for words, seen in zip(asks.asked, late)], float),
        "picture": np.array([agreement(words, seen)["color"] for words, seen in zip(asks.shown, late)], float),
        "motion": np.array([agreement(words, seen)["motion"] for words, seen in zip(asks.asked, whole)], float),
        "change": change.double().numpy(),
        "clipped": (clips.abs() >= 1).double().flatten(1).mean(dim=1).numpy(),
    }
