"""Adds place by place."""


class ActionEmbedding(nn.Module):
    def __init__(self, num_actions, context, cond_channels):
        super().__init__()
        self.null, self.context = num_actions, context
        self.table = nn.Embedding(context * (num_actions + 1), cond_channels)

    def forward(self, actions):
        total = 0
        for k in range(self.context):
            total = total + self.table(actions[:, k] + k * (self.null + 1))
        return total

    def drop(self, actions, dropped):
        told = actions.clone()
        told[dropped] = self.null
        return told
