"""Hair and clothes beside the fitted head's outline."""
