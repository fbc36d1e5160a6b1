"""Use cases: they take and return plain values, and each public function is one transaction."""
