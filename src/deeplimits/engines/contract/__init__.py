"""What makes the same bits: arithmetic, the random stream, sums over lanes, and tables of activations."""
