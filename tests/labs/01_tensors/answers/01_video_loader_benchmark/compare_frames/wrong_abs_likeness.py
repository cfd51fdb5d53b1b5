"""Takes the absolute value of the correlation.

Message: a negative has likeness -1
"""


def compare_frames(frames, film, indices, step=4):
    if frames.shape[1:] != film.shape[1:] or len(frames) != len(indices):
        raise ValueError("shapes")
    u = []
    for p in (frames, film):
        g = p[:, ::step, ::step].mean(-1).reshape(len(p), -1)
        g = g - g.mean(1, keepdims=True)
        u.append(g / np.maximum(np.linalg.norm(g, axis=1, keepdims=True), 1e-6))
    like = np.abs(u[0] @ u[1].T)
    idx = np.array(indices)
    own = like[np.arange(len(idx)), idx]
    numbers = np.where(own >= like.max(1) - 1e-6, idx, like.argmax(1)).tolist()
    return Proof(numbers, int(np.abs(frames.astype(int) - film[idx].astype(int)).max()))
