"""One call with all rows."""


@torch.no_grad()
def action_matrix(next_frame, past, actions, eps, num_actions):
    batch = len(past)
    last = torch.arange(num_actions).repeat(batch)[:, None]
    pressed = torch.cat([actions[:, :-1].repeat_interleave(num_actions, dim=0), last], dim=1)
    rows = [x.repeat_interleave(num_actions, dim=0) for x in (eps, past)]
    return next_frame(*rows, pressed).unflatten(0, (batch, num_actions))
