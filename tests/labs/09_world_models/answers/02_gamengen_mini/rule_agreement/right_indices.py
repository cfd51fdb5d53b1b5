"""By index, one list per part."""


def rule_agreement(readings, actions):
    count = len(readings)
    if count < 3 or count - 1 != len(actions):
        raise ValueError("T readings, T - 1 actions, T at least 3")
    found = {part: np.zeros(count - 2, dtype=bool) for part in PARTS}
    events = [()] * (count - 2)
    for t in range(1, count - 1):
        was = read_state(readings[t], readings[t - 1])
        if was is None:
            continue
        engine = Rooms("test")
        engine.set_state(was)
        names = engine.step(actions[t])
        events[t - 1] = names
        how = judge_new_room if "door" in names else judge_step
        for part, right in zip(PARTS, how(was, engine.state(), readings[t + 1])):
            found[part][t - 1] = right
    return RuleAgreement(found["player"], found["tiles"], found["hud"], found["slime"], tuple(events))
