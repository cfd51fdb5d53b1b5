"""One step in a function of its own."""


def one_step(engine, before, now, then, action):
    state = read_state(now, before)
    if state is None:
        return (False, False, False, False), ()
    engine.set_state(state)
    events = engine.step(int(action))
    if "door" in events:
        return judge_new_room(state, engine.state(), then), events
    return judge_step(state, engine.state(), then), events


def rule_agreement(readings, actions):
    if len(readings) < 3 or len(actions) + 1 != len(readings):
        raise ValueError(f"{len(readings)} readings and {len(actions)} actions")
    engine = Rooms()
    verdicts = [one_step(engine, *readings[t - 1 : t + 2], actions[t]) for t in range(1, len(actions))]
    parts = np.array([verdict for verdict, _ in verdicts], dtype=bool)
    return RuleAgreement(*(parts[:, k] for k in range(4)), events=tuple(events for _, events in verdicts))
