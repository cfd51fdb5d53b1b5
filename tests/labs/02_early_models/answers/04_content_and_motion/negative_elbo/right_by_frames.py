"""The cost of each frame, then T times its mean; the divergence by torch.distributions."""


def divergence(dist):
    own, normal = torch.distributions.Normal(dist.mean, dist.std), torch.distributions.Normal(0.0, 1.0)
    return torch.distributions.kl_divergence(own, normal)


def negative_elbo(restored, target, codes, *, num_frames, pixel_std=0.1):
    frames = (restored.double() - target.double()).square().sum(dim=(1, 3, 4)) / 2 / pixel_std**2  # (B, n)
    return {
        "pixels": num_frames * frames.mean(dim=1).float(),
        "content": divergence(codes.content).sum(dim=1),
        "motion": num_frames * divergence(codes.motion).sum(dim=1).mean(dim=1),
    }
