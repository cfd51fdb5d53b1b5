"""Cuts the content off the features, so that the two heads do not disturb each other.

Message: Something on the way is detached
"""


class SplitHeads(nn.Module):
    def __init__(self, hidden_size: int, content_dim: int, motion_dim: int):
        super().__init__()
        self.content = nn.Linear(hidden_size, 2 * content_dim)
        self.motion = nn.Linear(hidden_size, 2 * motion_dim)

    def forward(self, features):
        content = self.content(features.detach().mean(dim=1))
        motion = rearrange(self.motion(features), "b t d -> b d t")
        return content, motion
