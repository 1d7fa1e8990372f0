"""Models against the controls of one pack: the matrix that auditors ask for, and its files."""
