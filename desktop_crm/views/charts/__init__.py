"""Charts painted on the theme's tokens, each with a text that says the same."""
