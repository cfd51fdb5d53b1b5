"""Motion is what changes, so it codes differences of frames.

Message: differences of frames
"""


class SplitHeads(nn.Module):
    def __init__(self, hidden_size: int, content_dim: int, motion_dim: int):
        super().__init__()
        self.content = nn.Linear(hidden_size, 2 * content_dim)
        self.motion = nn.Linear(hidden_size, 2 * motion_dim)

    def forward(self, features):
        content = self.content(features.mean(dim=1))
        change = features.diff(dim=1, prepend=features[:, :1])
        return content, self.motion(change).transpose(1, 2)
