"""Frame after frame."""


class SplitHeads(nn.Module):
    def __init__(self, hidden_size: int, content_dim: int, motion_dim: int):
        super().__init__()
        self.content = nn.Linear(hidden_size, 2 * content_dim)
        self.motion = nn.Linear(hidden_size, 2 * motion_dim)

    def forward(self, features):
        total, motions = 0, []
        for frame in features.unbind(dim=1):
            total = total + frame
            motions.append(self.motion(frame))
        return self.content(total / len(motions)), torch.stack(motions, dim=-1)
