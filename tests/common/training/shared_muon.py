"""Three steps of Muon in one of two processes: `shared_muon.py FOLDER RANK` writes the weights to FOLDER/RANK.pt."""

import sys

import torch

from common.training.muon import Muon

SHAPES = [(5, 9), (4, 3, 3, 1, 1), (6, 6), (7, 2), (3, 8)]


def three_steps() -> list[torch.Tensor]:
    """Weights after three steps along gradients that are always the same."""
    generator = torch.Generator().manual_seed(0)
    matrices = [torch.nn.Parameter(torch.randn(shape, generator=generator)) for shape in SHAPES]
    optimizer = Muon(matrices, [], lr=0.02, weight_decay=0.1)
    for _ in range(3):
        for matrix in matrices:
            matrix.grad = torch.randn(matrix.shape, generator=generator)
        optimizer.step()
    return [matrix.detach() for matrix in matrices]


if __name__ == "__main__":
    folder, rank = sys.argv[1], int(sys.argv[2])
    torch.distributed.init_process_group("gloo", f"file://{folder}/meet", rank=rank, world_size=2)
    torch.save(three_steps(), f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()
