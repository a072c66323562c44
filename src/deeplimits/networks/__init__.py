"""Networks: what they are, and the recursion with every weight drawn."""
