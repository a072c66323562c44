"""``python -m deeplimits``."""

from deeplimits.cli import main

main()
