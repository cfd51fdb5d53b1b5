"""The past is rolled in place of a cut, under no_grad."""


class WorldSession:
    def __init__(self, world, past, actions, seed, num_steps, context_noise):
        self.world, self.past, self.actions = world, past, actions
        self.num_steps, self.context_noise = num_steps, context_noise
        self.generator = torch.Generator(past.device).manual_seed(seed)

    @property
    def frame(self):
        pixels = ((self.past[0, :, -1] + 1) * 127.5).round().to(torch.uint8)
        return rearrange(pixels, "c h w -> h w c").cpu().contiguous().numpy()

    @torch.no_grad()
    def step(self, action):
        keys = list(self.actions)
        keys.append(self.world.checked(action))
        window = torch.tensor(keys, dtype=torch.int64, device=self.past.device).unsqueeze(0)
        frame = sample_next(self.world.model, self.past, window, self.num_steps,
                            context_noise=self.context_noise, generator=self.generator)
        past = self.past.roll(-1, dims=2)
        past[:, :, -1] = frame
        self.past, self.actions = past, keys[1:]
        return self.frame
