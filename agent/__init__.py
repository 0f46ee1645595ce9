"""The Keras DQN: seeding, learning, evaluating, comparing."""
