"""Peak memory of a computation, counted tensor by tensor: the same number on every machine, and on the CPU too."""

from types import TracebackType

import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class PeakMemory(TorchDispatchMode):
    """Counts the bytes of all tensors that are alive at once, among those that torch makes inside the block.

        with PeakMemory() as memory:
            latents = vae.encode(clip).latent_dist.mode()
        print(memory.peak)

    Views share their memory, and are counted once. What an operation takes for itself while it runs is not counted.

    Attributes:
        peak: the most bytes alive at once.
    """

    def __init__(self):
        super().__init__()
        self.peak = 0
        self._alive: dict[int, tuple[StorageWeakRef, int]] = {}  # storage -> its bytes

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        known = {StorageWeakRef(t.untyped_storage()).cdata for t in tree_leaves((args, kwargs)) if _is_tensor(t)}
        result = func(*args, **(kwargs or {}))
        for tensor in filter(_is_tensor, tree_leaves(result)):
            storage = tensor.untyped_storage()
            reference = StorageWeakRef(storage)
            if reference.cdata not in known:  # a view of what was there before is nothing new
                self._alive[reference.cdata] = reference, storage.nbytes()
        self._alive = {key: entry for key, entry in self._alive.items() if not entry[0].expired()}
        self.peak = max(self.peak, sum(num_bytes for _, num_bytes in self._alive.values()))
        return result

    def __exit__(self, exc_type: type | None, exc_val: BaseException | None, exc_tb: TracebackType | None) -> None:
        self._alive = {}
        super().__exit__(exc_type, exc_val, exc_tb)


def _is_tensor(value) -> bool:
    return isinstance(value, torch.Tensor) and not value.is_meta
