"""Jobs: what the verbs of the workflow do, from a plan to study stores, and how results are kept whole."""
