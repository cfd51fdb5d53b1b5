"""Later frames count more, as in a running mean.

Message: self.content of the mean over the frames
"""


class SplitHeads(nn.Module):
    def __init__(self, hidden_size: int, content_dim: int, motion_dim: int):
        super().__init__()
        self.content = nn.Linear(hidden_size, 2 * content_dim)
        self.motion = nn.Linear(hidden_size, 2 * motion_dim)

    def forward(self, features):
        weights = torch.linspace(0.5, 1.5, features.shape[1])
        content = self.content((features * weights[:, None]).mean(dim=1))
        motion = self.motion(features).transpose(1, 2)
        return content, motion
