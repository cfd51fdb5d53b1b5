"""Muon: an optimiser that gives each weight matrix a step of equal size in all of its directions.

Adam scales every number of a gradient by itself. A gradient matrix usually points along few directions much more than
along the others, and so does Adam's step. Muon replaces the gradient G = U S Vᵀ by U Vᵀ, in which all directions count
the same: Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/.
"""

import torch
import torch.distributed as dist

from common.training.precision import has_bfloat16
from common.training.recipe import Settings

# a, b, c of X ← a X + b (X Xᵀ) X + c (X Xᵀ)² X: five rounds bring singular values from 0.003 … 1 to about 1.
QUINTIC = (3.4445, -4.7750, 2.0315)
ROUNDS = 5
MOMENTUM = 0.95
UPDATE_SIZE = 0.2  # root mean square of a step at learning rate 1, as of a usual Adam step (arXiv:2502.16982)


class Muon(torch.optim.Optimizer):
    """Muon for matrices and kernels, Adam for everything else, in one optimiser.

    A kernel `(O, I, T, H, W)` is a matrix of O rows. For tensors of two axes this is `torch.optim.Muon` with
    `adjust_lr_fn="match_rms_adamw"`; that one takes no kernels.

    Args:
        matrices: parameters of two axes or more.
        others: parameters that Adam trains: gains and biases, and by custom the first and the last layer.
        lr: learning rate of both.
        weight_decay: of the matrices (decoupled, as in AdamW).
        betas: of Adam.
        eps: of Adam.
    """

    def __init__(self, matrices, others, lr: float, weight_decay: float = 0.0, betas=(0.9, 0.95), eps: float = 1e-8):
        matrices, others = list(matrices), list(others)
        if any(p.ndim < 2 for p in matrices):
            raise ValueError("Muon is for matrices and kernels; give parameters of one axis to Adam, among the others")
        groups = [
            {"params": matrices, "kind": "muon", "weight_decay": weight_decay},
            {"params": others, "kind": "adam", "betas": betas, "eps": eps},
        ]
        super().__init__([group for group in groups if group["params"]], {"lr": lr})

    @torch.no_grad()
    def step(self, closure=None):  # pyrefly: ignore [bad-override]
        """One step along the gradients that are there."""
        loss = None if closure is None else torch.enable_grad()(closure)()
        for group in self.param_groups:
            parameters = [p for p in group["params"] if p.grad is not None]
            if parameters:
                take = self._muon if group["kind"] == "muon" else self._adam
                take(parameters, [self.state[p] for p in parameters], group)
        return loss

    def _muon(self, parameters, states, group) -> None:
        """Matrices of one shape are made orthogonal together: a few large products, not hundreds of small ones.

        Of several processes, which all hold the same gradients, each does its share of every shape.

        Raises:
            TypeError: the matrices are in shards; each step needs a whole one.
        """
        if any(hasattr(p, "full_tensor") for p in parameters):
            raise TypeError("Muon needs whole matrices, and FSDP holds shards of them: take AdamW there")
        by_shape = {}
        for parameter, ahead in zip(parameters, _ahead(parameters, states), strict=True):
            by_shape.setdefault(ahead.flatten(1).shape, []).append((parameter, ahead.flatten(1)))
        for (rows, columns), members in by_shape.items():
            found = _shared_orthogonal(torch.stack([ahead for _, ahead in members]))  # (N, O, I T H W)
            size = UPDATE_SIZE * max(rows, columns) ** 0.5
            chosen = [parameter for parameter, _ in members]
            steps = [step.reshape(p.shape) for p, step in zip(chosen, found.unbind(), strict=True)]
            torch._foreach_mul_(chosen, 1 - group["lr"] * group["weight_decay"])
            torch._foreach_add_(chosen, steps, alpha=-group["lr"] * size)

    def _adam(self, parameters, states, group) -> None:
        for parameter, state in zip(parameters, states, strict=True):
            if not state:
                state["step"] = torch.zeros((), dtype=torch.float32)
                state["exp_avg"], state["exp_avg_sq"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
            state["step"] += 1
        grads = [p.grad for p in parameters]
        means, squares = ([state[name] for state in states] for name in ("exp_avg", "exp_avg_sq"))
        (beta1, beta2), counts = group["betas"], [state["step"].item() for state in states]
        torch._foreach_lerp_(means, grads, 1 - beta1)
        torch._foreach_lerp_(squares, torch._foreach_mul(grads, grads), 1 - beta2)
        sizes = torch._foreach_sqrt(torch._foreach_div(squares, [1 - beta2**count for count in counts]))
        torch._foreach_add_(sizes, group["eps"])
        steps = torch._foreach_div(torch._foreach_div(means, [1 - beta1**count for count in counts]), sizes)
        torch._foreach_add_(parameters, steps, alpha=-group["lr"])


def _ahead(parameters, states) -> list[torch.Tensor]:
    """Nesterov's momentum: the running mean of the gradients, as it will be if the next one is this one again."""
    grads = [p.grad for p in parameters]
    for grad, state in zip(grads, states, strict=True):
        if not state:
            state["momentum_buffer"] = torch.zeros_like(grad)
    means = [state["momentum_buffer"] for state in states]
    torch._foreach_lerp_(means, grads, 1 - MOMENTUM)
    return list(torch._foreach_lerp(grads, means, MOMENTUM))


def _shared_orthogonal(matrices: torch.Tensor) -> torch.Tensor:
    """`orthogonal` of `(N, O, I)`, of which each process works out some; all of them get all."""
    rank, num_processes = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
    found = torch.empty_like(matrices)
    for k in range(min(num_processes, len(matrices))):
        share = matrices[k::num_processes].contiguous()
        if k == rank:  # one at a time stays in a processor's cache; all at once keeps a GPU busy
            pieces = share.split(1 if share.device.type == "cpu" else len(share))
            share = torch.cat([orthogonal(piece) for piece in pieces])
        if num_processes > 1:
            dist.broadcast(share, src=k)
        found[k::num_processes] = share
    return found


def orthogonal(matrix: torch.Tensor) -> torch.Tensor:
    """About U Vᵀ of a matrix U S Vᵀ, by five Newton-Schulz rounds: singular values land in 0.7 … 1.2.

    The rounds are as good in bfloat16 as in float32, so they use it where the processor or the GPU computes in it.

    Args:
        matrix: `(..., O, I)`.

    Returns:
        `(..., O, I)` in the matrix's own type.
    """
    wide = matrix.shape[-2] <= matrix.shape[-1]
    precision = torch.bfloat16 if has_bfloat16(matrix.device) else torch.float32
    x = (matrix if wide else matrix.mT).to(precision)  # the smaller side first: X Xᵀ is small
    x = x / x.norm(dim=(-2, -1), keepdim=True).clamp(min=1e-7)
    a, b, c = QUINTIC
    for _ in range(ROUNDS):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x if wide else x.mT).to(matrix.dtype)


def muon(model: torch.nn.Module, settings: Settings, ends: tuple[str, ...] = ()) -> Muon:
    """Muon for a recipe: `optimizer=partial(muon, ends=("patches_in", "patches_out"))`.

    Args:
        model: whose parameters are trained.
        settings: of the stage; its learning rate is for both kinds, its betas are Adam's.
        ends: words in the names of the first and the last layers, which Adam trains.

    Raises:
        ValueError: a word of `ends` is in no name.
    """
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    missing = [word for word in ends if not any(word in name for name, _ in named)]
    if missing:
        raise ValueError(f"the model has no parameter named {', '.join(missing)}")
    chosen = {name for name, p in named if p.ndim >= 2 and not any(word in name for word in ends)}
    return Muon(
        [p for name, p in named if name in chosen], [p for name, p in named if name not in chosen],
        lr=settings.learning_rate, weight_decay=settings.weight_decay, betas=settings.betas,
    )  # fmt: skip
