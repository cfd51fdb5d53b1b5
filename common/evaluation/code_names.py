"""Names for codes: which key each code of a latent action model stands for, from a few pairs with known keys."""

import torch


def name_codes(codes: torch.Tensor, actions: torch.Tensor, num_codes: int) -> torch.Tensor:
    """Name every code by the action that it was seen with most often.

    This is all the supervision that a latent action model needs to be played: thousands of hours without keys, then a
    minute with them (Genie, arXiv:2402.15391, section 3.3).

    Args:
        codes: of labelled pairs, int64 `(N,)`, from 0 to K - 1.
        actions: that were pressed, int64 `(N,)`, from 0.
        num_codes: K.

    Returns:
        int64 `(K,)`: the action of each code. Of equally frequent actions it is the one with the smallest number. A
        code that was never seen gets the action that is most frequent over all pairs, of equally frequent ones the
        smallest.

    Raises:
        ValueError: there are no pairs, or a code is not from 0 to K - 1.
    """
    if not len(codes) or not 0 <= int(codes.min()) <= int(codes.max()) < num_codes:
        raise ValueError(f"one pair at least, and codes from 0 to {num_codes - 1}; got {codes.tolist()}")
    num_actions = int(actions.max()) + 1
    counts = torch.bincount(codes * num_actions + actions, minlength=num_codes * num_actions)
    counts = counts.view(num_codes, num_actions)
    counts = torch.where(counts.sum(dim=1, keepdim=True) > 0, counts, counts.sum(dim=0))
    return counts.argmax(dim=1)
