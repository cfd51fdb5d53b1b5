"""`catch-dream`: a world of the ball game `catch` in latents, and a policy that was trained in it."""
