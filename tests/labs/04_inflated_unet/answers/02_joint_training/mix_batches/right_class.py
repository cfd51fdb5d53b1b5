"""An iterator as a class, and queues of numbers."""


class Orders:
    def __init__(self, count, generator):
        self.count, self.generator, self.rest = count, generator, []

    def next(self, wanted):
        while len(self.rest) < wanted:
            self.rest += torch.randperm(self.count, generator=self.generator).tolist()
        taken, self.rest = self.rest[:wanted], self.rest[wanted:]
        return torch.tensor(taken, dtype=torch.long)


class Mixed:
    def __init__(self, clips, pictures, ratio, size, frames):
        self.clips, self.pictures, self.ratio, self.size, self.frames = clips, pictures, ratio, size, frames
        self.batches = self.given = 0

    def __iter__(self):
        return self

    def __next__(self):
        self.batches += 1
        due = int(self.ratio * self.batches * self.size + 1e-6)
        rows, self.given = due - self.given, due
        pictures = self.pictures.next(rows * self.frames).view(rows, self.frames)
        return MixedBatch(clips=self.clips.next(self.size - rows), pictures=pictures)


def mix_batches(num_clips, num_pictures, picture_ratio, batch_size, generator, num_frames=4):
    if picture_ratio < 0 or picture_ratio > 1 or batch_size <= 0 or num_frames <= 0:
        raise ValueError("bad sizes")
    if picture_ratio != 1 and num_clips <= 0 or picture_ratio != 0 and num_pictures <= 0:
        raise ValueError("no samples")
    return Mixed(Orders(num_clips, generator), Orders(num_pictures, generator), picture_ratio, batch_size, num_frames)
