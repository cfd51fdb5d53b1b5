"""Makes the shape right by reshape.

Message: mixes numbers with frames
"""


class SplitHeads(nn.Module):
    def __init__(self, hidden_size: int, content_dim: int, motion_dim: int):
        super().__init__()
        self.content = nn.Linear(hidden_size, 2 * content_dim)
        self.motion = nn.Linear(hidden_size, 2 * motion_dim)

    def forward(self, features):
        content = self.content(features.mean(dim=1))
        motion = self.motion(features).reshape(len(features), -1, features.shape[1])
        return content, motion
