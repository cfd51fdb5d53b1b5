"""Only two moments of the data are needed."""


def fit_gain(x, target, num_steps, learning_rate=0.5):
    power, product, rest = (x * x).mean().item(), (x * target).mean().item(), (target * target).mean().item()
    gain, losses = 0.0, []
    while len(losses) < num_steps:
        losses.append(gain * gain * power - 2 * gain * product + rest)
        gain = gain - 2 * learning_rate * (gain * power - product)
    return gain, losses
