"""Pools for both heads.

Message: same motion code
"""


class SplitHeads(nn.Module):
    def __init__(self, hidden_size: int, content_dim: int, motion_dim: int):
        super().__init__()
        self.content = nn.Linear(hidden_size, 2 * content_dim)
        self.motion = nn.Linear(hidden_size, 2 * motion_dim)

    def forward(self, features):
        mean = features.mean(dim=1)
        motion = self.motion(mean)[:, :, None].repeat(1, 1, features.shape[1])
        return self.content(mean), motion
