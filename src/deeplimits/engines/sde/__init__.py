"""Paths of the differential equations that networks follow."""
