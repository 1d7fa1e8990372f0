"""Erasing what the log holds: who asked for it, who agreed, what stays in its place, and what forbids it."""
