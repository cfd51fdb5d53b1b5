"""Answers nonsense with an empty list instead of an error.

Message: should raise ValueError
"""


def even_indices(total, num_frames):
    if total < 1 or num_frames < 1:
        return []
    return torch.linspace(0, total - 1, num_frames, dtype=torch.float64).round().long().tolist()
