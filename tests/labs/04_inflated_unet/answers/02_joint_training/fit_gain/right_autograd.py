"""autograd takes the derivative."""


def fit_gain(x, target, num_steps, learning_rate=0.5):
    gain = torch.zeros((), requires_grad=True)
    losses = []
    for _ in range(num_steps):
        loss = (gain * x - target).pow(2).mean()
        losses.append(float(loss))
        (slope,) = torch.autograd.grad(loss, gain)
        gain = (gain - learning_rate * slope).detach().requires_grad_()
    return gain.item(), losses
