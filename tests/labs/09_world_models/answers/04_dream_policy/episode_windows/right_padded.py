"""Everything is brought to the length of the frames first, then cut by one index; episodes are numbered."""


def episode_windows(frames, actions, rewards, ends, length):
    if not 2 <= length <= len(frames):
        raise ValueError("no such length")
    led = F.pad(actions, (1, 0)), F.pad(rewards.to(torch.float32), (1, 0)), 1 - F.pad(ends.to(torch.float32), (1, 0))
    number = F.pad(ends.long().cumsum(0), (2, 0))[: len(frames)]  # of the episode that each frame belongs to
    begin = torch.arange(len(frames) - length + 1)
    begin = begin[number[begin] == number[begin + length - 1]]
    rows = begin[:, None] + torch.arange(length)
    inside = (torch.arange(length) > 0)[None]
    empty = 0, 0.0, 1.0
    return Windows(frames[rows], *(torch.where(inside, of[rows], e).to(of.dtype) for of, e in zip(led, empty)))
