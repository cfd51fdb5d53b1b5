"""Arrays first, filled cell by cell."""


def paired_sweep(measure, rows, columns, seeds):
    rows, columns, seeds = tuple(rows), tuple(columns), tuple(seeds)
    if 0 in (len(rows), len(columns), len(seeds)):
        raise ValueError("nothing to sweep")
    found = {}
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            generators = []
            for seed in seeds:
                generator = torch.Generator()
                generator.manual_seed(int(seed))
                generators.append(generator)
            for name, numbers in measure(row, column, generators).items():
                found.setdefault(name, np.empty((len(rows), len(columns), len(seeds))))[i, j] = numbers
    return found
