"""A stack of stacks."""


def paired_sweep(measure, rows, columns, seeds):
    rows, columns, seeds = [*rows], [*columns], [*seeds]
    if not (rows and columns and seeds):
        raise ValueError(f"{len(rows)} rows, {len(columns)} columns, {len(seeds)} seeds")

    def new():
        return [torch.Generator(device="cpu").manual_seed(seed) for seed in seeds]

    table = [[measure(row, column, new()) for column in columns] for row in rows]
    names = table[0][0].keys()
    return {name: np.stack([np.stack([np.asarray(cell[name], dtype="float64") for cell in line]) for line in table])
            for name in names}
