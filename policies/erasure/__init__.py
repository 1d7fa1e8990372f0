"""What follows from an erasure for models: what rests on it, what is decided about each version, what stays open."""
