"""Endless orders chained by itertools."""


def mix_batches(num_clips, num_pictures, picture_ratio, batch_size, generator, num_frames=4):
    if not (0 <= picture_ratio <= 1 and batch_size >= 1 and num_frames >= 1):
        raise ValueError("a ratio is from 0 to 1")
    if (num_clips <= 0 and picture_ratio < 1) or (num_pictures <= 0 and picture_ratio > 0):
        raise ValueError("there is nothing to take")

    def order(count):
        return itertools.chain.from_iterable(
            torch.randperm(count, generator=generator).tolist() for _ in itertools.repeat(None)
        )

    def run(clips, pictures):
        total = 0
        for first in itertools.count(0, batch_size):
            until = math.floor(picture_ratio * (first + batch_size) + 1e-6)
            rows = [list(itertools.islice(pictures, num_frames)) for _ in range(until - total)]
            some = list(itertools.islice(clips, batch_size - len(rows)))
            total = until
            yield MixedBatch(
                torch.tensor(some, dtype=torch.int64),
                torch.tensor(rows, dtype=torch.int64).reshape(len(rows), num_frames),
            )

    return run(order(num_clips), order(num_pictures))
