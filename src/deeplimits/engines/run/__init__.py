"""Tasks are computed, by either engine."""
