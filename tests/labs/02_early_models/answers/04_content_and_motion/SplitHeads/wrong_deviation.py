"""Takes the content off the motion, so that they share nothing.

Message: is subtracted before self.motion
"""


class SplitHeads(nn.Module):
    def __init__(self, hidden_size: int, content_dim: int, motion_dim: int):
        super().__init__()
        self.content = nn.Linear(hidden_size, 2 * content_dim)
        self.motion = nn.Linear(hidden_size, 2 * motion_dim)

    def forward(self, features):
        mean = features.mean(dim=1, keepdim=True)
        motion = self.motion(features - mean).transpose(1, 2)
        return self.content(mean.squeeze(1)), motion
