"""The store: containers, receipts, catalogue, study stores, queries."""
