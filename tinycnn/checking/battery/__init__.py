"""The engine's own gradients checked: every op and layer in all its configurations, networks end to end."""
