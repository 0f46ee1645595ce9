"""Side by side with other libraries, and with what we promise."""
