"""What administrators change about entities: fields of their own, choice lists and forms."""
