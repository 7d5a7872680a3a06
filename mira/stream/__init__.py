"""What happens to blocks of speech between whoever makes them and whoever hears them."""
