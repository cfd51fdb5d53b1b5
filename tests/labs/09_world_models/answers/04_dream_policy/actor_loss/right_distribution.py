"""By torch.distributions, the percentiles by sorting."""


def actor_loss(logits, actions, returns, values, weights, *, entropy=3e-3):
    policy = torch.distributions.Categorical(logits=logits)
    with torch.no_grad():
        ordered, count = returns.flatten().sort().values, returns.numel() - 1

        def percentile(part):
            below = min(int(part * count), count - 1)
            return torch.lerp(ordered[below], ordered[below + 1], part * count - below)

        scale = max(1.0, (percentile(0.95) - percentile(0.05)).item())
        gain = weights * (returns - values) / scale
    objective = gain * policy.log_prob(actions) + entropy * weights.detach() * policy.entropy()
    return -objective.mean()
