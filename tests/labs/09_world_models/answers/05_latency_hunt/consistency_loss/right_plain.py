"""Levels as full tensors, the boundary by a flag, the root by hypot."""


def consistency_loss(student, target, teacher, x, sigmas, huber=0.05):
    count = x.shape[0]
    place = teacher_jump(teacher, x, sigmas)
    last = float(sigmas[-1])
    if last != 0.0:
        with torch.no_grad():
            place = target(place, torch.full((count,), last))
    guess = student(x, torch.full((count,), float(sigmas[0])))
    off = guess - place
    cost = torch.hypot(off, torch.full_like(off, huber)) - huber
    return cost.reshape(count, -1).mean(1)
