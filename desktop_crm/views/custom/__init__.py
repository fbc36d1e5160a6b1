"""Forms of entities that are more than fields."""
