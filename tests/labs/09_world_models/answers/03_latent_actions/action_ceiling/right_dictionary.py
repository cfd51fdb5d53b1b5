"""State by state, the chance of each frame in a dictionary."""


def action_ceiling(outcomes, probabilities):
    if len(probabilities) != outcomes.shape[1]:
        raise ValueError("one probability for each action")
    total = 0.0
    for row in outcomes.tolist():
        chance = {}
        for frame, p in zip(row, probabilities):
            chance[frame] = chance.get(frame, 0.0) + float(p)
        total += sum(-p * math.log2(p) for p in chance.values() if p > 0)
    return total / len(outcomes)
