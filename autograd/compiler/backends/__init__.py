"""Back ends: a `Program` as source text in one language each, and run where it can be run here."""
