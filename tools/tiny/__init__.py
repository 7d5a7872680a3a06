"""Small random models in the true file layouts, for tests and benches without any download."""
