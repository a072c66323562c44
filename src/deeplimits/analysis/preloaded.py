"""What a process that reduces points needs, loaded once before it is forked."""

from importlib import import_module

from deeplimits.limits import registry

for name in (
    "scipy.integrate",
    "scipy.linalg",
    "scipy.special",
    "threadpoolctl",
    "deeplimits.analysis.spread",
):
    import_module(name)
registry()
