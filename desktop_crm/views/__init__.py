"""Windows: everything that a person sees; the only package that imports Qt besides the starters."""
