"""Only codes that occur, in plain Python."""


def codebook_perplexity(indices, size):
    found = indices.flatten().tolist()
    if not found or min(found) < 0 or max(found) >= size:
        raise ValueError(f"indices from 0 to {size - 1}, please")
    entropy = 0.0
    for code in set(found):
        share = found.count(code) / len(found) if len(found) < 2000 else sum(c == code for c in found) / len(found)
        entropy -= share * math.log(share)
    return math.exp(entropy)
