"""Leaves the frames where the features have them.

Message: whose axes are (b, t, m)
"""


class SplitHeads(nn.Module):
    def __init__(self, hidden_size: int, content_dim: int, motion_dim: int):
        super().__init__()
        self.content = nn.Linear(hidden_size, 2 * content_dim)
        self.motion = nn.Linear(hidden_size, 2 * motion_dim)

    def forward(self, features):
        return self.content(features.mean(dim=1)), self.motion(features)
