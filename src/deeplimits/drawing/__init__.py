"""What figures share: their looks, what they choose from a study, and what things are called in them."""
