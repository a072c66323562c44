"""Kernels as machine code: made once, kept on disk."""
