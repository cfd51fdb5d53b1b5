"""The mean of linear maps is the linear map of the mean."""


class SplitHeads(nn.Module):
    def __init__(self, hidden_size: int, content_dim: int, motion_dim: int):
        super().__init__()
        self.content = nn.Linear(hidden_size, 2 * content_dim)
        self.motion = nn.Linear(hidden_size, 2 * motion_dim)

    def forward(self, features):
        content = self.content(features).mean(dim=1)
        motion = torch.einsum("btf,df->bdt", features, self.motion.weight) + self.motion.bias[:, None]
        return content, motion
