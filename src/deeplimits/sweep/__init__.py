"""Sweeps: files of users, points, blocks and plans."""
