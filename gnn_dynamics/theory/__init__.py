"""What the theorems say, evaluated on a run: bounds, gradient terms, laws, negative results."""
