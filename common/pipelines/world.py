"""A world model to play: frames and keys go in as a game has them, frames come out, one per key.

    world = WorldModel.from_pretrained("arcade-rooms")
    session = world.start(frames, actions, seed=0)      some real frames to begin with
    frame = session.step(1)                             uint8 (H, W, 3), as long as you like

A session is a function of its beginning, its seed, its settings and the keys: an action log replays it bit for bit, on
the same kind of processor with the same number of threads.
"""

from collections.abc import Sequence

import numpy as np
import torch
from einops import rearrange

from common.models.folded_world import FoldedWorldUNet
from common.models.world_unet import WorldUNet
from common.streaming.world import push, sample_next

NO_KEY = 0  # the action of a past that is not known


class WorldModel:
    """A `WorldUNet` made ready for play.

    Args:
        model: the network; it is changed to `dtype` and to a memory layout that is fast.
        dtype: what it computes in; None for bfloat16 where the processor has it, else float32.
        folded: compute what is constant at play only once (`FoldedWorldUNet`). Such a world takes one game at a time.

    Attributes:
        num_actions: of the game.
        height, width: of the frames, pixels.
        context: K, the frames that it remembers.
    """

    def __init__(self, model: WorldUNet, dtype: torch.dtype | None = None, *, folded: bool = False):
        dtype = dtype or (torch.bfloat16 if _has_bfloat16(model.device) else torch.float32)
        self.model = torch.nn.Module.to(model.eval(), dtype=dtype, memory_format=torch.channels_last)
        self.model = FoldedWorldUNet(self.model) if folded else self.model
        self.num_actions, self.context = model.config.num_actions, model.config.context
        self.height, self.width = model.config.height, model.config.width

    @classmethod
    def from_pretrained(cls, name_or_folder, dtype: torch.dtype | None = None, *, folded: bool = False) -> "WorldModel":
        """Shipped weights by name, or a folder of weights such as a training run leaves.

        Args:
            name_or_folder: as for `WorldUNet.from_pretrained`.
            dtype: as for the class.
            folded: likewise.

        Raises:
            WeightsError: there are none, or they are another model's.
        """
        return cls(WorldUNet.from_pretrained(name_or_folder), dtype, folded=folded)

    def start(
        self,
        frames: np.ndarray,
        actions: Sequence[int],
        seed: int = 0,
        num_steps: int = 2,
        context_noise: float = 0.0,
    ) -> "WorldSession":
        """Begin after some frames of the game.

        Args:
            frames: uint8 `(n, height, width, 3)`, n at least 1. The last `context` of them count; where there are
                fewer, the first one is taken to have been still before.
            actions: n - 1 of them, `actions[t]` between frames t and t + 1. An n-th one is ignored: what is pressed
                while the last frame is shown comes with the first `step`.
            seed: of all noise.
            num_steps: calls of the model per frame.
            context_noise: level of the noise on the past, told to the model.

        Raises:
            ValueError: the frames are of another kind, or the actions do not fit.
        """
        frames, actions = np.asarray(frames), list(actions)
        if frames.ndim != 4 or not len(frames) or frames.shape[1:] != (self.height, self.width, 3):
            raise ValueError(f"frames are (n, {self.height}, {self.width}, 3), got {frames.shape}")
        if frames.dtype != np.uint8 or len(actions) not in (len(frames) - 1, len(frames)):
            raise ValueError(
                f"n uint8 frames take n - 1 actions; got {frames.dtype}, {len(frames)} frames, {len(actions)} actions"
            )
        actions = [self.checked(action) for action in actions[: len(frames) - 1]]
        missing = max(0, self.context - len(frames))
        frames = np.concatenate([frames[:1].repeat(missing, axis=0), frames])[-self.context :]
        actions = ([NO_KEY] * missing + actions)[len(actions) + missing - (self.context - 1) :]
        past = rearrange(torch.from_numpy(frames), "t h w c -> 1 c t h w").float() / 127.5 - 1
        return WorldSession(self, past.to(self.model.device), actions, seed, num_steps, context_noise)

    def checked(self, action: int) -> int:
        """An action that this world has.

        Raises:
            ValueError: it has not.
        """
        if not 0 <= action < self.num_actions:
            raise ValueError(f"this world has actions 0 to {self.num_actions - 1}, got {action}")
        return int(action)


class WorldSession:
    """One game in the dream. `WorldModel.start` makes it.

    Attributes:
        world: the `WorldModel`; its network is `world.model`.
        past: the last K frames, K >= 2, oldest first, `(1, 3, K, H, W)` in [-1, 1], on the network's device.
        actions: the K - 1 actions between them, oldest first, a list.
        num_steps: calls of the network per frame; may be changed between two steps.
        context_noise: likewise, the level of the noise on the past.
        generator: of all noise.
    """

    def __init__(self, world: WorldModel, past: torch.Tensor, actions: list[int], seed, num_steps, context_noise):
        self.world, self.past, self.actions = world, past, actions
        self.num_steps, self.context_noise = num_steps, context_noise
        self.generator = torch.Generator(past.device).manual_seed(seed)

    @property
    def frame(self) -> np.ndarray:
        """What is seen now: uint8 `(H, W, 3)`."""
        pixels = ((self.past[0, :, -1] + 1) * 127.5).round().to(torch.uint8)
        return rearrange(pixels, "c h w -> h w c").cpu().contiguous().numpy()

    @torch.inference_mode()
    def step(self, action: int) -> np.ndarray:
        """Let one frame pass with this key held.

        `sample_next` makes the frame from the K frames and the K - 1 actions of the past, then this action, with the
        session's `num_steps`, `context_noise` and `generator`. After it, `past` and `actions` are those of the next
        step, without the oldest frame and the oldest action. Both are new, and what they were is not written into.

        Args:
            action: pressed while the last frame is shown. `world.checked` refuses what the world does not have.

        Returns:
            The new frame, uint8 `(H, W, 3)`, the same as `frame`.

        Raises:
            ValueError: there is no such action. The session stays as it was.
        """
        actions = [*self.actions, self.world.checked(action)]
        frame = sample_next(
            self.world.model,
            self.past,
            torch.tensor([actions], device=self.past.device),
            self.num_steps,
            context_noise=self.context_noise,
            generator=self.generator,
        )
        self.past, self.actions = push(self.past, frame), actions[1:]
        return self.frame


def _has_bfloat16(device: torch.device) -> bool:
    return device.type != "cpu" or torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
