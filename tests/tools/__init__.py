"""Scripts of the developers, which the tests check."""
