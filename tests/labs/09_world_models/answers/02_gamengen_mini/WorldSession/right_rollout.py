"""One turn of the rollout."""


class WorldSession:
    def __init__(self, world, past, actions, seed, num_steps, context_noise):
        self.world, self.past, self.actions = world, past, actions
        self.num_steps, self.context_noise = num_steps, context_noise
        self.generator = torch.Generator(past.device).manual_seed(seed)

    @property
    def frame(self):
        pixels = ((self.past[0, :, -1] + 1) * 127.5).round().to(torch.uint8)
        return rearrange(pixels, "c h w -> h w c").cpu().contiguous().numpy()

    @torch.inference_mode()
    def step(self, action):
        action = self.world.checked(action)
        keys = torch.as_tensor(self.actions + [action], device=self.past.device)[None]
        options = {"context_noise": self.context_noise, "generator": self.generator}
        new = sample_next(self.world.model, self.past, keys, self.num_steps, **options)
        self.past = torch.cat([self.past, new.unsqueeze(2)], dim=2)[:, :, 1:]
        self.actions = self.actions[1:] + [action]
        return self.frame
