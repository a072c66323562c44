"""The one-step law of the correlation of finite networks: not a sampler, but compiled as samplers are."""
