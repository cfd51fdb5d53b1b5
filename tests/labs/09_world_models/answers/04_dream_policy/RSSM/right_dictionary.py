"""The heads in a dictionary, the one-hot by index."""


class RSSM(Shipped, ModelMixin, ConfigMixin):

    @register_to_config
    def __init__(
        self,
        observation_size: int = 4,
        num_actions: int = 3,
        hidden_size: int = 64,
        num_latents: int = 4,
        num_classes: int = 8,
    ):
        super().__init__()
        latent_size = num_latents * num_classes
        self.inputs = nn.Sequential(nn.Linear(latent_size + num_actions, hidden_size), nn.SiLU())
        self.cell = nn.GRUCell(hidden_size, hidden_size)
        self.prior_head = head(hidden_size, hidden_size, latent_size)
        self.posterior_head = head(hidden_size + observation_size, hidden_size, latent_size)
        self.decoder = head(hidden_size + latent_size, hidden_size, observation_size)

    def initial(self, batch_size: int) -> RSSMState:
        weight = self.cell.weight_hh
        latent_size = self.config.num_latents * self.config.num_classes
        return RSSMState(
            weight.new_zeros(batch_size, self.config.hidden_size), weight.new_zeros(batch_size, latent_size)
        )

    def step(
        self,
        state: RSSMState,
        action: torch.Tensor,
        observation: torch.Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> tuple[RSSMState, torch.Tensor, torch.Tensor | None]:
        size, classes = self.config.hidden_size, self.config.num_classes
        onehot = state.latent.new_zeros(len(action), self.config.num_actions)
        onehot[torch.arange(len(action)), action] = 1
        h = self.cell(self.inputs(torch.cat([state.latent, onehot], dim=1)), state.features[:, :size])
        logits = {"prior": self.prior_head(h)}
        if observation is not None:
            logits["posterior"] = self.posterior_head(torch.cat([h, observation], dim=1))
        found = {}
        for name, x in logits.items():
            found[name] = uniform_mix(x.reshape(len(x), -1, classes), 0.01)
        draw = straight_through_sample(list(found.values())[-1], generator)
        return RSSMState(h, draw.reshape(len(h), -1)), found["prior"], found.get("posterior")

    def observe(
        self, observations: torch.Tensor, actions: torch.Tensor, generator: torch.Generator | None = None
    ) -> tuple[Observed, RSSMState]:
        state = self.initial(len(observations))
        features, priors, posteriors = [], [], []
        for step in range(observations.shape[1]):
            state, prior, posterior = self.step(state, actions[:, step], observations[:, step], generator)
            features.append(state.features)
            priors.append(prior)
            posteriors.append(posterior)
        stacked = torch.stack(features, dim=1)
        seen = Observed(stacked, torch.stack(posteriors, dim=1), torch.stack(priors, dim=1), self.decoder(stacked))
        return seen, state

    def imagine(
        self, state: RSSMState, actions: torch.Tensor, generator: torch.Generator | None = None
    ) -> torch.Tensor:
        features = []
        for step in range(actions.shape[1]):
            state, _, _ = self.step(state, actions[:, step], generator=generator)
            features.append(state.features)
        return self.decoder(torch.stack(features, dim=1))

    def _distribution(self, flat: torch.Tensor) -> torch.Tensor:
        return uniform_mix(rearrange(flat, "b (l c) -> b l c", c=self.config.num_classes))
