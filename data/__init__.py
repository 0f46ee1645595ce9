"""What an episode is, where it lives, and what was said of it."""
