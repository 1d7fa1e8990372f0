"""How far Lineward is from the floor of the machine that it runs on: `python -m benchmarks`."""
