"""One-hot vectors times the table."""


class ActionEmbedding(nn.Module):
    def __init__(self, num_actions, context, cond_channels):
        super().__init__()
        self.null, self.context = num_actions, context
        self.table = nn.Embedding(context * (num_actions + 1), cond_channels)

    def forward(self, actions):
        flat = F.one_hot(actions, self.null + 1).flatten(1)
        return flat.to(self.table.weight.dtype) @ self.table.weight

    def drop(self, actions, dropped):
        return torch.where(rearrange(dropped, "b -> b 1"), torch.full_like(actions, self.null), actions)
