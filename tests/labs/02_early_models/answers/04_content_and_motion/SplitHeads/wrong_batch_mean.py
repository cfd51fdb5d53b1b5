"""Takes the mean over everything but the features.

Message: the mean is taken over the batch too
"""


class SplitHeads(nn.Module):
    def __init__(self, hidden_size: int, content_dim: int, motion_dim: int):
        super().__init__()
        self.content = nn.Linear(hidden_size, 2 * content_dim)
        self.motion = nn.Linear(hidden_size, 2 * motion_dim)

    def forward(self, features):
        content = self.content(features.mean(dim=(0, 1))).expand(len(features), -1)
        motion = self.motion(features).transpose(1, 2)
        return content, motion
