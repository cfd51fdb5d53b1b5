"""Goes to the next level on the line between the sample and the data that it points to."""


def euler(derivative, x, levels):
    x = x.to(torch.float32)
    k = 0
    for level, after in level_pairs(levels, x):
        d = derivative(x, level).to(torch.float32)
        data = torch.addcmul(x, beside(level, x), d, value=-1)
        x = data + beside(after, x) * d
        yield Step(index=k, level=level, sample=x, denoised=data)
        k += 1
