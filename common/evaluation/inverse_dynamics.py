"""Does a world obey its keys? The action matrix asks one past for every future; inverse dynamics says what was pressed.

A loss cannot tell: keys are held, so a model whose actions are off by one is right in most frames. The action matrix
can. It presses each key on the same past, with the same noise, and what differs is due to the key alone. The judge is
an inverse-dynamics model (Agrawal et al. 2016, arXiv:1606.07419): a small network that sees two frames and says which
key led from one to the other. It learns on real frames and never sees the world model.
"""

from collections.abc import Callable

import torch
from einops import rearrange
from torch import nn
from torch.nn import functional as F

from common.data.arcade import Recording, transitions


@torch.no_grad()
def action_matrix(
    next_frame: Callable, past: torch.Tensor, actions: torch.Tensor, eps: torch.Tensor, num_actions: int
) -> torch.Tensor:
    """The action matrix: from each past one next frame for every action, all with the same noise.

    The last of the K actions leads to the next frame, so that is the one replaced. The others are what was pressed.

    Args:
        next_frame: the world, `(eps, past, actions) -> next frames`, any number N of rows at a time: `(N, C, H, W)`,
            `(N, C, K, H, W)` and int64 `(N, K)` to `(N, C, H, W)`.
        past: the last K frames, oldest first, `(B, C, K, H, W)`.
        actions: int64 `(B, K)`.
        eps: noise of the next frame, `(B, C, H, W)`: one draw per past, the same for all its actions.
        num_actions: A.

    Returns:
        `(B, A, C, H, W)`, without gradients; entry `[b, a]` is what action a leads to from past b.
    """
    futures = []
    for action in range(num_actions):
        pressed = actions.clone()
        pressed[:, -1] = action
        futures.append(next_frame(eps, past, pressed))
    return torch.stack(futures, dim=1)


@torch.no_grad()
def action_confusion(probe: Callable, last: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
    """Which action the probe sees in each entry of an action matrix.

    Args:
        probe: inverse dynamics, `(before, after) -> logits`, any number N of rows at a time: `(N, C, H, W)` twice to
            `(N, A)`. The action that it sees is the one with the largest logit.
        last: the last frame of each past, `(B, C, H, W)`.
        matrix: `(B, A, C, H, W)`, as from `action_matrix`.

    Returns:
        float32 `(A, A)`, without gradients; entry `[told, seen]` is the share of the B pasts in which the world was
        told one action and the probe saw the other. Every row adds up to 1.
    """
    num_actions = matrix.shape[1]
    before = last[:, None].expand_as(matrix)
    logits = probe(rearrange(before, "b a c h w -> (b a) c h w"), rearrange(matrix, "b a c h w -> (b a) c h w"))
    seen = F.one_hot(logits.argmax(dim=1), num_actions).float()  # (B A, A)
    return rearrange(seen, "(b told) seen -> b told seen", told=num_actions).mean(dim=0)


def told_is_seen(confusion: torch.Tensor) -> float:
    """Inverse-dynamics accuracy: the share of a confusion matrix that is on its diagonal."""
    return float(confusion.diagonal().mean())


class InverseDynamics(nn.Module):
    """A small convolutional network: two frames in, logits of the action between them out.

    Args:
        num_actions: A.
        channels: of the two convolutions.
    """

    def __init__(self, num_actions: int, channels: int = 16):
        super().__init__()
        self.first = nn.Conv2d(6, channels, 5, stride=2, padding=2)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        self.out = nn.Linear(channels, num_actions)

    def forward(self, before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
        """`(N, 3, H, W)` twice to logits `(N, A)`."""
        h = torch.cat([before, after - before], dim=1)  # what moved is most of what there is to see
        h = F.relu(self.second(F.relu(self.first(h))))
        return self.out(h.amax(dim=(2, 3)))


@torch.enable_grad()
def fit_inverse_dynamics(plays: Recording, num_actions: int, steps: int = 150, batch_size: int = 64, seed: int = 0):
    """An inverse-dynamics model, trained on real pairs of frames.

    Args:
        plays: windows of two frames are drawn from it.
        num_actions: A.
        steps: of Adam.
        batch_size: pairs per step.
        seed: of the initial weights.

    Returns:
        The trained `InverseDynamics`, in evaluation mode.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        probe = InverseDynamics(num_actions)
    pairs, optimizer = plays.with_window(2), torch.optim.Adam(probe.parameters(), lr=1e-2)
    for step in range(steps):
        batch = pairs.batch(range(step * batch_size, (step + 1) * batch_size))
        past, actions, after = transitions(batch.clips(), batch.actions, 1)
        loss = F.cross_entropy(probe(past[:, :, 0], after), actions[:, 0])
        optimizer.zero_grad()
        loss.backward()
        for group in optimizer.param_groups:
            group["lr"] = 1e-2 * (1 - step / steps)
        optimizer.step()
    return probe.eval().requires_grad_(False)
