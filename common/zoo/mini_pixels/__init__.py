"""The default arm of the `mini` world on pixels, for as many core-seconds: what latents are compared with."""
