"""One-hot in place of gather; everything but the logits is detached at once."""


def actor_loss(logits, actions, returns, values, weights, *, entropy=3e-3):
    returns, values, weights = returns.detach(), values.detach(), weights.detach()
    spread = returns.quantile(0.95) - returns.quantile(0.05)
    advantage = (returns - values) / torch.maximum(spread, torch.ones_like(spread))
    probabilities = logits.softmax(-1)
    log_policy = (probabilities.clamp(min=1e-30)).log()
    pressed = F.one_hot(actions, logits.shape[-1]).to(logits)
    terms = advantage * (pressed * log_policy).sum(-1) - entropy * (probabilities * log_policy).sum(-1)
    return (-weights * terms).sum() / weights.numel()
