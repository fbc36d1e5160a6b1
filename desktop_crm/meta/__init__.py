"""What a field and an entity mean: kinds, declarations and the registry that reads them."""
