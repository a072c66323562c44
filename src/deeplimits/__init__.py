"""deeplimits."""
