"""In plain Python."""


def entropy(counts):
    seen = [int(count) for count in counts.reshape(-1) if count > 0]
    n, bits = sum(seen), 0.0
    for count in seen:
        bits += count / n * math.log2(n / count)
    return bits + (len(seen) - 1) / (2 * n * math.log(2))
