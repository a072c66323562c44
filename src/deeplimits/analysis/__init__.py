"""Analysis: dask reductions of stored samples, distances to laws, rates."""
