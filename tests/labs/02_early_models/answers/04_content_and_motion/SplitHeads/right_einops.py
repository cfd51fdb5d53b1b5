"""Reduces and rearranges."""


class SplitHeads(nn.Module):
    def __init__(self, hidden_size: int, content_dim: int, motion_dim: int):
        super().__init__()
        self.content = nn.Linear(hidden_size, 2 * content_dim)
        self.motion = nn.Linear(hidden_size, 2 * motion_dim)

    def forward(self, features):
        content = self.content(torch.stack(features.unbind(1)).mean(0))
        motion = rearrange(
            self.motion(rearrange(features, "b t f -> (b t) f")), "(b t) d -> b d t", b=features.shape[0]
        )
        return content, motion
