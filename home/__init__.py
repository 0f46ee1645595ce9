"""The home window: what is in the library, and the next useful thing to do."""
