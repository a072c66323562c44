"""Claims of papers: their files, evidence in study stores, statistics, verdicts, and the scoreboard."""
