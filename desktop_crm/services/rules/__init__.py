"""Business rules of the entities: what must be true beyond what a field declares."""
