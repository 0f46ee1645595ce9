"""The commands of ``coach``, one module for each group: they join recorder, curator, agent and home, and print."""
