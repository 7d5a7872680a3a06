"""Mira's own endpoints: raw speech for phones, voices with their reports, health and statistics."""
