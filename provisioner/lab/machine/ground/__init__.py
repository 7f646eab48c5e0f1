"""What every machine has from its start. The families of areas stand on it; it knows none of them."""
